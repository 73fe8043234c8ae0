// Runs simulations: one policy after the other on the same workload. Everything that happens inside
// is the core's; here files are read and written, and time is measured.

import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { readPolicyFile } from "../config/policy-file.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import type { Policy } from "../scheduler/core/state.ts";
import { figuresOf } from "./core/measures.ts";
import { DEFAULT_PRESET, POLICY_PRESETS, type PolicyPreset } from "./core/presets.ts";
import { tenantQueues } from "./core/queues.ts";
import { Recorder } from "./core/recorder.ts";
import { type ReportedRun, renderReport } from "./core/report.ts";
import { isPath, type SimulateRequest, type SimulateResult } from "./core/request.ts";
import { Simulation, type SimulationSetup } from "./core/simulation.ts";
import { refusal, unknownName } from "./names.ts";
import {
  type HistoryPorts,
  readQueues,
  readScene,
  refuseLostTenants,
  type Scene,
} from "./scene.ts";

/** @throws RefusalError when the workload, a policy or the queues are wrong, AbortError on Ctrl-C. */
export async function simulate(
  request: SimulateRequest,
  ports: HistoryPorts,
  signal: AbortSignal,
): Promise<SimulateResult> {
  const scene = await readScene(request, ports);
  const { workload, cluster, leftOut } = scene;
  const presets: PolicyPreset[] = [];
  for (const name of request.policies) {
    const preset = await policyNamed(name, scene.policy);
    presets.push({ ...preset, policy: lettingIn(preset.policy, scene) });
  }
  const fileQueues =
    request.queuesPath === null ? scene.queues : await readQueues(request.queuesPath);
  const sink = request.logPath === null ? null : openLog(request.logPath);
  const runs: ReportedRun[] = [];
  try {
    for (const [index, preset] of presets.entries()) {
      const { guarantee, policies } = request;
      const queues = fileQueues ?? tenantQueues(workload, cluster, guarantee, preset.order);
      refuseLostTenants(workload, queues);
      const setup = { ...request, workload, cluster, queues, name: policies[index] ?? "", sink };
      runs.push(await runPolicy(setup, preset, signal));
    }
  } finally {
    sink?.close();
  }
  if (request.htmlPath !== null) {
    await writeReport(request.htmlPath, renderReport({ title: titleOf(request), cluster, runs }));
  }
  return { cluster, leftOut, policies: runs };
}

function titleOf({ source }: SimulateRequest): string {
  return source.kind === "synthetic" ? source.name : basename(source.path);
}

/** Between two looks at Ctrl-C. */
const INSTANTS_PER_TURN = 200;

interface RunSetup extends Omit<SimulationSetup, "policy" | "inform"> {
  readonly name: string;
  readonly sink: LineSink | null;
}

async function runPolicy(
  { name, sink, ...setup }: RunSetup,
  { policy, inform }: PolicyPreset,
  signal: AbortSignal,
): Promise<ReportedRun> {
  const hash = createHash("sha256");
  const recorder = new Recorder({
    tenants: setup.workload.tenants,
    clockMs: () => performance.now(),
    onEvents: (events: readonly LoggedEvent[]) => {
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join("");
      hash.update(lines);
      sink?.write(lines);
    },
  });
  const startedMs = performance.now();
  const simulation = new Simulation({ ...setup, policy, inform }, recorder);
  while (!simulation.advance(INSTANTS_PER_TURN)) await nextTurn(signal);
  const end = simulation.end();
  const wallSeconds = Math.round(performance.now() - startedMs) / 1_000;
  const figures = figuresOf(end, recorder, setup.cluster);
  const digest = hash.digest("hex");
  return { policy: name, figures: { ...figures, wallSeconds, digest }, end, recorder };
}

/** The jobs came, whatever the policy would have said to them: nobody is told to try again later. */
function lettingIn(policy: Policy, { priorityClasses }: Scene): Policy {
  const waitUnlimited = (limits: Policy["limits"]["users"]): Policy["limits"]["users"] =>
    Object.fromEntries(Object.entries(limits).map(([who, one]) => [who, { ...one, queued: null }]));
  const { tenants, users } = policy.limits;
  return {
    ...policy,
    priorityClasses: { ...priorityClasses, ...policy.priorityClasses },
    priorityGrants: {},
    limits: { tenants: waitUnlimited(tenants), users: waitUnlimited(users) },
  };
}

async function policyNamed(name: string, logged: Policy | null): Promise<PolicyPreset> {
  const preset = Object.hasOwn(POLICY_PRESETS, name) ? POLICY_PRESETS[name] : undefined;
  if (preset !== undefined) return preset;
  if (name === LOGGED_POLICY && logged !== null) return { ...DEFAULT_PRESET, policy: logged };
  if (isPath(name)) {
    const policy = { ...DEFAULT_PRESET.policy, ...(await readPolicyFile(name)) };
    return { ...DEFAULT_PRESET, policy };
  }
  const names = Object.keys(POLICY_PRESETS);
  const known = logged === null ? names : [...names, LOGGED_POLICY];
  throw unknownName("policy", name, known, "./policy.yaml");
}

/** With `--from-log`: the policy that the log has last. */
const LOGGED_POLICY = "log";

interface LineSink {
  write(lines: string): void;
  close(): void;
}

function openLog(path: string): LineSink {
  const fd = attempt(path, () => openSync(path, "w"));
  return { write: (lines) => void writeSync(fd, lines), close: () => closeSync(fd) };
}

async function writeReport(path: string, html: string): Promise<void> {
  await writeFile(path, html).catch((error: unknown) => {
    throw notWritten(path, error);
  });
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw notWritten(path, error);
  }
}

function notWritten(path: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return refusal("LOCAL_FILE", `${path} can't be written: ${reason}.`, "Name another file.");
}

/** Lets signals and timers have their turn. */
async function nextTurn(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
