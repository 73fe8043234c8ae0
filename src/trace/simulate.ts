// Runs simulations: reads the trace and the policies, runs one policy after the other on the same
// workload, and hands back figures. Everything that happens inside is the core's.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Refusal, RefusalError, refuse } from "../base/errors.ts";
import { queuePath } from "../base/ids.ts";
import { readPolicyFile } from "../config/policy-file.ts";
import { readQueuesFile } from "../config/queues-file.ts";
import { nearest } from "../config/suggest.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import type { QueueSpec } from "../scheduler/core/state.ts";
import type { WorkModel } from "./core/job-work.ts";
import { type Figures, figuresOf } from "./core/measures.ts";
import { POLICY_PRESETS, type PolicyPreset } from "./core/presets.ts";
import { type Guarantee, tenantQueues } from "./core/queues.ts";
import { Recorder } from "./core/recorder.ts";
import { Simulation, type SimulationEnd } from "./core/simulation.ts";
import { parseTrace, type TraceFormat } from "./core/trace-csv.ts";
import type { ClusterShape, Workload } from "./core/workload.ts";

export interface SimulateRequest {
  readonly tracePath: string;
  readonly format: TraceFormat;
  readonly cluster: ClusterShape;
  /** Names of presets or paths of policy files, as the user wrote them. */
  readonly policies: readonly string[];
  readonly guarantee: Guarantee;
  /** A queues file of the live scheduler instead of one queue for each tenant; null = none. */
  readonly queuesPath: string | null;
  readonly work: WorkModel;
  readonly passIntervalMs: number;
  readonly untilMs: number | null;
}

export interface PolicyRun {
  readonly policy: string;
  readonly figures: Figures & { readonly wallSeconds: number; readonly digest: string };
  readonly end: SimulationEnd;
  readonly recorder: Recorder;
}

export interface SimulateResult {
  readonly workload: Workload;
  readonly skipped: number;
  readonly policies: readonly PolicyRun[];
}

/** @throws RefusalError when the trace, a policy or the queues are wrong. */
export async function simulate(request: SimulateRequest): Promise<SimulateResult> {
  const { workload, skipped } = await readTrace(request);
  const presets = await Promise.all(request.policies.map(policyNamed));
  const fileQueues = request.queuesPath === null ? null : await queuesOf(request.queuesPath);
  const policies = presets.map((preset, index) => {
    const queues =
      fileQueues ?? tenantQueues(workload, request.cluster, request.guarantee, preset.order);
    refuseLostTenants(workload, queues);
    return runPolicy(request.policies[index] ?? "", { ...request, workload, queues }, preset);
  });
  return { workload, skipped, policies };
}

function runPolicy(
  name: string,
  setup: SimulateRequest & { readonly workload: Workload; readonly queues: readonly QueueSpec[] },
  { policy, inform }: PolicyPreset,
): PolicyRun {
  const hash = createHash("sha256");
  const recorder = new Recorder({
    tenants: setup.workload.tenants,
    clockMs: () => performance.now(),
    onEvents: (events: readonly LoggedEvent[]) => {
      for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
    },
  });
  const startedMs = performance.now();
  const end = new Simulation({ ...setup, policy, inform }, recorder).run();
  const wallSeconds = Math.round(performance.now() - startedMs) / 1_000;
  const figures = figuresOf(end, recorder, setup.cluster);
  return {
    policy: name,
    figures: { ...figures, wallSeconds, digest: hash.digest("hex") },
    end,
    recorder,
  };
}

async function readTrace(
  request: SimulateRequest,
): Promise<{ readonly workload: Workload; readonly skipped: number }> {
  const { tracePath, format } = request;
  const text = await readFile(tracePath, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal("LOCAL_FILE", `${format.file} can't be read: ${reason}.`, "Name a CSV file.");
  });
  const parsed = parseTrace(text, format);
  if (parsed.kind === "refusal") throw new RefusalError(parsed);
  return parsed;
}

async function policyNamed(name: string): Promise<PolicyPreset> {
  const preset = Object.hasOwn(POLICY_PRESETS, name) ? POLICY_PRESETS[name] : undefined;
  if (preset !== undefined) return preset;
  const byDefault = POLICY_PRESETS["default"];
  if (/[/.]/.test(name) && byDefault !== undefined) {
    const settings = await readPolicyFile(name);
    return { ...byDefault, policy: { ...byDefault.policy, ...settings } };
  }
  const names = Object.keys(POLICY_PRESETS);
  const near = nearest(name, names);
  throw refusal(
    "INVALID_OPTION",
    `No policy is called "${name}"${near === null ? "" : `, did you mean ${near}?`}`,
    `Name one of ${names.join(", ")}, or the path of a policy file such as ./policy.yaml.`,
  );
}

async function queuesOf(path: string): Promise<readonly QueueSpec[]> {
  const settings = await readQueuesFile(path);
  return settings.map((queue) => ({ ...queue, path: queuePath(queue.path) }));
}

function refuseLostTenants({ jobs }: Workload, queues: readonly QueueSpec[]): void {
  const paths = new Set<string>(queues.map(({ path }) => path));
  const isLeaf = (path: string): boolean =>
    paths.has(path) && !queues.some((queue) => queue.path.startsWith(`${path}/`));
  const lost = jobs.find(({ tenant }) => !isLeaf(tenant));
  if (lost === undefined) return;
  throw refusal(
    "INVALID_TRACE",
    `${lost.origin}: the queues file has no leaf queue "${lost.tenant}".`,
    "Add it, or name the column that holds queue paths with --tenant-column.",
  );
}

function refusal(code: Refusal["code"], message: string, remedy: string): RefusalError {
  return new RefusalError(refuse(code, message, remedy));
}
