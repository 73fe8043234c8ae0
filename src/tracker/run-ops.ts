// Operations that make and change runs, as functions on a unit of work.
//
// A job's run has the job's id and follows the job: made when the job is submitted, SCHEDULED while
// it waits (again, after a preemption), RUNNING, then FINISHED, FAILED or KILLED.

import { createHash } from "node:crypto";
import { type Refusal, refuse } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { DAY_MS } from "../base/time.ts";
import type { Identity, JobPhase } from "../scheduler/core/job.ts";
import { checkName, RUN_ID_CHARS_MAX } from "./core/limits.ts";
import {
  changeRun,
  encodeRun,
  type Pairs,
  type Run,
  type RunChange,
  runNotFound,
  type RunStatus,
} from "./core/run.ts";
import type { Unit } from "./unit.ts";

/** How long a request id is remembered, and how many old ones are forgotten with each one kept. */
const REQUEST_KEPT_MS = DAY_MS;
const FORGOTTEN_AT_ONCE = 10;

export interface RunCreation {
  /** Empty = a new id is drawn. */
  readonly id: string;
  /** Empty = `default`. */
  readonly experiment: string;
  readonly name: string;
  readonly owner: Identity;
  readonly params: Pairs;
  readonly tags: Pairs;
}

/** What a run needs to know of its job; the newest state, not a change of it. */
export interface JobState {
  readonly jobId: JobId;
  readonly name: string;
  /** Becomes the experiment. */
  readonly queue: string;
  readonly owner: Identity;
  readonly phase: JobPhase["kind"];
  /** Number of the newest attempt; 0 before the first. */
  readonly attempt: number;
  readonly submittedAtMs: number;
  /** When all of its tasks first ran; null before. */
  readonly startedAtMs: number | null;
  /** When the job ended; null while it goes on. */
  readonly endedAtMs: number | null;
  /** What it was submitted with; only what is set first counts. */
  readonly params: Pairs;
  readonly tags: Pairs;
}

export interface NewRun {
  readonly id: string;
  readonly no: number;
  readonly origin: Run["origin"];
  readonly nowMs: number;
}

/** A run of which nothing but its id is known. */
export function newRun({ id, no, origin, nowMs }: NewRun): Run {
  return {
    id,
    no,
    experiment: "default",
    name: id,
    tenant: "",
    user: "",
    status: "RUNNING",
    createdAtMs: nowMs,
    startedAtMs: nowMs,
    endedAtMs: null,
    params: new Map(),
    tags: new Map(),
    attempt: 0,
    origin,
    metrics: 0,
  };
}

/** A run of this id that was announced before is returned as it is. */
export function createRun(unit: Unit, creation: RunCreation): Run | Refusal {
  const { experiment, owner } = creation;
  const refusal =
    checkName("run_id", creation.id, RUN_ID_CHARS_MAX) ??
    (experiment === "" ? null : checkName("experiment", experiment)) ??
    (creation.name === "" ? null : checkName("name", creation.name));
  if (refusal !== null) return refusal;
  const before = unit.run(creation.id);
  if (before !== null && before.origin !== "metrics") return before;
  const base = before ?? newRun(fresh(unit, creation.id, "client"));
  const announced: Run = {
    ...base,
    origin: "client",
    experiment: experiment || base.experiment,
    name: creation.name || base.name,
    tenant: owner.tenant,
    user: owner.user,
  };
  return put(unit, changeRun(announced, { ...creation, status: null }, unit.nowMs));
}

export function updateRun(unit: Unit, runId: string, change: RunChange): Run | Refusal {
  const run = unit.run(runId);
  if (run === null) return runNotFound(runId);
  return put(unit, changeRun(run, change, unit.nowMs));
}

/** Brings a job's run to where the job is. Writes nothing when it is there already. */
export function followJob(unit: Unit, job: JobState): void {
  const before = unit.run(job.jobId);
  const base = before ?? newRun(fresh(unit, job.jobId, "job"));
  const run: Run = {
    ...base,
    origin: "job",
    experiment: job.queue,
    name: job.name,
    tenant: job.owner.tenant,
    user: job.owner.user,
    status: statusOf(job.phase),
    createdAtMs: job.submittedAtMs,
    startedAtMs: job.startedAtMs,
    endedAtMs: job.endedAtMs,
    attempt: job.attempt,
    // What a script or a person set since wins: a job's own params and tags come first and once.
    params: new Map([...job.params, ...base.params]),
    tags: new Map([...job.tags, ...base.tags]),
  };
  if (before === null || !isSameRun(before, run)) unit.putRun(run);
}

/** For a run whose job is gone without a trace (its log was lost): it does not run any more. */
export function abandonRun(unit: Unit, runId: string): void {
  const run = unit.run(runId);
  if (run === null) return;
  unit.putRun({ ...run, status: "KILLED", endedAtMs: unit.nowMs });
}

/**
 * Does `act` unless this request id did it before; then the run it was about is returned as it is
 * now. The same id for something else is refused. Ids are remembered for a day.
 */
export function once(
  unit: Unit,
  request: { readonly id: string; readonly content: unknown },
  act: () => Run | Refusal,
): Run | Refusal {
  const badId = checkName("request_id", request.id);
  if (badId !== null) return badId;
  const fingerprint = createHash("sha256").update(JSON.stringify(request.content)).digest("hex");
  const known = unit.request(request.id);
  if (known !== null && known.fingerprint !== fingerprint) return reused(request.id);
  if (known !== null) return unit.run(known.runId) ?? runNotFound(known.runId);
  const result = act();
  if ("kind" in result) return result;
  unit.putRequest(request.id, { fingerprint, runId: result.id, atMs: unit.nowMs });
  unit.forgetRequests(unit.nowMs - REQUEST_KEPT_MS, FORGOTTEN_AT_ONCE);
  return result;
}

function fresh(unit: Unit, id: string, origin: Run["origin"]): NewRun {
  return { id, no: unit.nextRunNo(), origin, nowMs: unit.nowMs };
}

function put(unit: Unit, result: Run | Refusal): Run | Refusal {
  if (!("kind" in result)) unit.putRun(result);
  return result;
}

function statusOf(phase: JobPhase["kind"]): RunStatus {
  switch (phase) {
    case "pending":
    case "placed":
    case "starting":
      return "SCHEDULED";
    case "running":
    case "stopping":
      return "RUNNING";
    case "succeeded":
      return "FINISHED";
    case "failed":
      return "FAILED";
    case "cancelled":
      return "KILLED";
  }
}

function isSameRun(a: Run, b: Run): boolean {
  return encodeRun(a) === encodeRun(b);
}

function reused(requestId: string): Refusal {
  const message = `request_id ${JSON.stringify(requestId)} was used for a different call.`;
  return refuse("REQUEST_ID_REUSED", message, "Draw a new id for each new request.", "request_id");
}
