// Between the messages of agents.proto and the agent's own types. A message that breaks the contract
// is refused with the field's name: the stream ends and is opened again, the tasks go on.

import { assert } from "../base/assert.ts";
import { checkpointId, digest, jobId, nodeId, queuePath } from "../base/ids.ts";
import type { Desired__Output } from "../rpc/gen/trainyard/v1/Desired.ts";
import type { DesiredTask__Output } from "../rpc/gen/trainyard/v1/DesiredTask.ts";
import type { Hello } from "../rpc/gen/trainyard/v1/Hello.ts";
import type { JobSpec__Output } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import type { NodeReport } from "../rpc/gen/trainyard/v1/NodeReport.ts";
import type { ObservedTask as ObservedMessage } from "../rpc/gen/trainyard/v1/ObservedTask.ts";
import type { ResumeFrom__Output } from "../rpc/gen/trainyard/v1/ResumeFrom.ts";
import type { StopOrder__Output } from "../rpc/gen/trainyard/v1/StopOrder.ts";
import type { ObservedTask } from "../scheduler/core/commands.ts";
import type { CheckpointRef, DesiredTask, StopOrder } from "../scheduler/core/desired.ts";
import { type JobCommand, type JobSpec, SPEC_DEFAULTS } from "../scheduler/core/job.ts";
import type { Gpu, NodeCondition } from "../scheduler/core/state.ts";
import type { Desired } from "./core/actions.ts";

/** What a node is, for its hello. */
export interface NodeInventory {
  readonly node: string;
  readonly instance: string;
  readonly address: string;
  readonly gpus: readonly Gpu[];
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string;
}

export interface ReportContent {
  readonly generation: number;
  readonly tasks: readonly ObservedTask[];
  readonly conditions: readonly NodeCondition[];
}

const GRACE_DEFAULT_MS = 120_000;
const STOP_REASONS = ["preempted", "cancelled", "time_limit", "gang_failed"] as const;
const STOP_SIGNALS = ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "none"] as const;

export function encodeHello(inventory: NodeInventory, report: ReportContent): Hello {
  return {
    ...inventory,
    gpus: [...inventory.gpus],
    labels: { ...inventory.labels },
    report: encodeReport(report),
  };
}

export function encodeReport(report: ReportContent): NodeReport {
  const { generation, tasks, conditions } = report;
  return { generation, tasks: tasks.map(encodeTask), conditions: [...conditions] };
}

function encodeTask(task: ObservedTask): ObservedMessage {
  const { jobId: job, attempt, rank, state, rendezvous } = task;
  const parts = task.parts.map((part) => ({
    step: part.step,
    takenAtUnixMs: part.takenAtMs,
    digest: part.digest ?? "",
    sizeBytes: part.sizeBytes,
    uploadedBytes: part.uploadedBytes,
  }));
  const exit = state.kind === "ended" ? state.exit : null;
  return { jobId: job, attempt, rank, state: state.kind, exit, rendezvous, parts };
}

/** `nowMs`: when the message came, by the boot clock, from which deadlines are counted down. */
export function decodeDesired(message: Desired__Output, nowMs: number): Desired {
  return {
    generation: message.generation,
    tasks: message.tasks.map((task) => decodeTask(task, nowMs)),
  };
}

function decodeTask(message: DesiredTask__Output, nowMs: number): DesiredTask {
  const { attempt, rank, gpus, gatheringSteps, runId } = message;
  assert(/^job-\d+$/.test(message.jobId), `desired task with job id ${message.jobId}`);
  assert(attempt >= 1 && rank >= 0, `${message.jobId}: attempt ${attempt}, rank ${rank}`);
  assert(message.spec !== null, `${message.jobId}: desired task without a spec`);
  assert(rank < message.nodeNames.length, `${message.jobId}: rank ${rank} outside of its gang`);
  return {
    jobId: jobId(message.jobId),
    attempt,
    rank,
    stop: message.stop === null ? null : decodeStop(message.stop, nowMs),
    spec: decodeSpec(message.spec),
    gpus,
    nodeNames: message.nodeNames.map(nodeId),
    rendezvous: message.rendezvous,
    resume: decodeRef(message.resume),
    committedCheckpoints: message.committedCheckpoints.map(checkpointId),
    gatheringSteps,
    dedupeAgainst: decodeRef(message.dedupeAgainst),
    runId,
  };
}

function decodeStop(message: StopOrder__Output, nowMs: number): StopOrder {
  return {
    reason: oneOf(STOP_REASONS, message.reason, "stop.reason"),
    // Not `deadline_unix_ms`: the two machines' clocks need not agree.
    deadlineMs: nowMs + message.remainingMs,
    wantsCheckpoint: message.wantsCheckpoint,
  };
}

function decodeRef(message: ResumeFrom__Output | null): CheckpointRef | null {
  if (message === null) return null;
  return {
    checkpointId: checkpointId(message.checkpointId),
    step: message.step,
    manifestDigest: digest(message.manifestDigest),
  };
}

function decodeSpec(message: JobSpec__Output): JobSpec {
  const { bundle, perNode, timeLimit, grace, checkpoint, stopSignal } = message;
  return {
    name: message.name,
    queue: queuePath(message.queue),
    priorityClass: message.priorityClass,
    nodes: message.nodes,
    nodesMin: message.nodesMin || message.nodes,
    perNode: perNode ?? { gpus: 0, cpuMilli: 0, memoryMib: 0 },
    command: decodeCommand(message),
    env: message.env,
    bundle: bundle === null ? null : { ...bundle, digest: digest(bundle.digest) },
    setup: message.setup,
    timeLimitMs: timeLimit === null ? null : durationMs(timeLimit),
    graceMs: grace === null ? GRACE_DEFAULT_MS : durationMs(grace),
    stopSignal: oneOf(STOP_SIGNALS, stopSignal === "" ? "SIGTERM" : stopSignal, "spec.stop_signal"),
    restartsMax: message.restartsMax,
    checkpoint: { keep: checkpoint?.keep ?? 0, patterns: checkpoint?.patterns ?? [] },
    // When and where a job may start is over and done with once an agent hears of it.
    ...SPEC_DEFAULTS,
  };
}

function decodeCommand(message: JobSpec__Output): JobCommand {
  const { torchrun, exec } = message;
  if (torchrun) return { kind: "torchrun", ...torchrun };
  assert(exec !== null && exec !== undefined, `job ${message.name} has no command`);
  return { kind: "exec", argv: exec.argv };
}

function durationMs(duration: { seconds: number; nanos: number }): number {
  return duration.seconds * 1_000 + Math.floor(duration.nanos / 1_000_000);
}

function oneOf<T extends string>(allowed: readonly T[], value: string, field: string): T {
  const found = allowed.find((candidate) => candidate === value);
  assert(found !== undefined, `${field} is ${value}; known are ${allowed.join(", ")}`);
  return found;
}
