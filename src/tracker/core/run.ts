// A run: one training (or anything else that logs) with its params and tags. Owns what a change of
// a run may do and how a run is written down; knows nothing of its points.

import { Fault, refuse, type Refusal } from "../../base/errors.ts";
import {
  checkLength,
  checkName,
  PAIRS_PER_RUN_MAX,
  PARAM_CHARS_MAX,
  shorten,
  TAG_CHARS_MAX,
} from "./limits.ts";

/** MLflow's words. */
export const RUN_STATUSES = ["SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface Run {
  readonly id: string;
  /** Counts up with each run that is made: the order of lists, and the short name in keys. */
  readonly no: number;
  readonly experiment: string;
  readonly name: string;
  readonly tenant: string;
  readonly user: string;
  readonly status: RunStatus;
  readonly createdAtMs: number;
  /** Null until it first runs. */
  readonly startedAtMs: number | null;
  /** Null while it goes on. */
  readonly endedAtMs: number | null;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** The attempt that points without one belong to; 0 for a run that is no job's. */
  readonly attempt: number;
  /**
   * `metrics`: made by points that came before anybody had announced the run; whoever announces it
   * fills in the rest. `job`: its status follows a job's. `client`: made over the API.
   */
  readonly origin: "metrics" | "job" | "client";
  /** Metrics that have points. */
  readonly metrics: number;
}

export type Pairs = ReadonlyMap<string, string>;

export interface RunChange {
  readonly status: RunStatus | null;
  readonly params: Pairs;
  readonly tags: Pairs;
}

export function isEndStatus(status: RunStatus): boolean {
  return status === "FINISHED" || status === "FAILED" || status === "KILLED";
}

export function parseStatus(text: string): RunStatus | Refusal {
  const status = RUN_STATUSES.find((known) => known === text);
  if (status !== undefined) return status;
  const message = `status ${JSON.stringify(shorten(text))} is unknown.`;
  return refuse("INVALID_SPEC", message, `Use one of ${RUN_STATUSES.join(", ")}.`, "status");
}

/** All of the change or nothing of it. */
export function changeRun(run: Run, change: RunChange, nowMs: number): Run | Refusal {
  const params = mergeParams(run, change.params);
  if ("kind" in params) return params;
  const tags = mergeTags(run.tags, change.tags);
  if ("kind" in tags) return tags;
  const changed = { ...run, params, tags };
  return change.status === null ? changed : withStatus(changed, change.status, nowMs);
}

/** Any status may follow any other: a resumed run goes from FINISHED back to RUNNING. */
export function withStatus(run: Run, status: RunStatus, nowMs: number): Run {
  const startedAtMs = run.startedAtMs ?? (status === "RUNNING" ? nowMs : null);
  const endedAtMs = isEndStatus(status) ? (run.endedAtMs ?? nowMs) : null;
  return { ...run, status, startedAtMs, endedAtMs };
}

export function runNotFound(runId: string): Refusal {
  const remedy = "List the runs there are; a job's run has the job's id.";
  return refuse("RUN_NOT_FOUND", `There is no run ${JSON.stringify(runId)}.`, remedy, "run_id");
}

/** A param says what the run was made with: once set it stays, so that runs can be compared. */
function mergeParams(run: Run, incoming: Pairs): Pairs | Refusal {
  const merged = new Map(run.params);
  for (const [key, value] of incoming) {
    const refusal =
      checkName("params", key) ?? checkLength(`params.${key}`, value, PARAM_CHARS_MAX);
    if (refusal !== null) return refusal;
    const before = merged.get(key);
    if (before !== undefined && before !== value) return paramTaken(run.id, key, before, value);
    merged.set(key, value);
  }
  return merged.size > PAIRS_PER_RUN_MAX ? tooMany("params", merged.size) : merged;
}

function mergeTags(tags: Pairs, incoming: Pairs): Pairs | Refusal {
  const merged = new Map(tags);
  for (const [key, value] of incoming) {
    const refusal = checkName("tags", key) ?? checkLength(`tags.${key}`, value, TAG_CHARS_MAX);
    if (refusal !== null) return refusal;
    merged.set(key, value);
  }
  return merged.size > PAIRS_PER_RUN_MAX ? tooMany("tags", merged.size) : merged;
}

function paramTaken(runId: string, key: string, before: string, value: string): Refusal {
  const message =
    `param ${JSON.stringify(key)} of run ${runId} is ${JSON.stringify(shorten(before))} and can't ` +
    `become ${JSON.stringify(shorten(value))}.`;
  const remedy = "Params can't change once set: use a tag, or start a new run.";
  return refuse("INVALID_SPEC", message, remedy, `params.${key}`);
}

function tooMany(field: string, count: number): Refusal {
  const message = `${field} would have ${count} entries.`;
  return refuse("INVALID_SPEC", message, `A run takes at most ${PAIRS_PER_RUN_MAX}.`, field);
}

export function encodeRun(run: Run): string {
  return JSON.stringify({ ...run, params: [...run.params], tags: [...run.tags] });
}

/** Throws a `Fault` when the text is not a run. */
export function decodeRun(text: string): Run {
  try {
    const stored = JSON.parse(text) as Omit<Run, "params" | "tags"> & {
      readonly params: readonly (readonly [string, string])[];
      readonly tags: readonly (readonly [string, string])[];
    };
    return { ...stored, params: new Map(stored.params), tags: new Map(stored.tags) };
  } catch (cause) {
    const message = `a stored run can't be read: ${shorten(text)}`;
    throw new Fault("TRACKER_DATA_CORRUPT", message, { cause, isRetryable: false });
  }
}
