// What agents say, decoded strictly: their hello and their reports. Throws a refusal that names the
// field; the stream then ends and the agent's log has the reason.

import { type AgentInstanceId, agentInstanceId, jobId, type NodeId } from "../base/ids.ts";
import {
  decodeList,
  decodeMatching,
  decodeOneOf,
  decodeText,
  decodeWhole,
  reject,
} from "../rpc/decode.ts";
import type { AgentGpu__Output } from "../rpc/gen/trainyard/v1/AgentGpu.ts";
import type { Endpoint__Output } from "../rpc/gen/trainyard/v1/Endpoint.ts";
import type { Hello__Output } from "../rpc/gen/trainyard/v1/Hello.ts";
import type { NodeCondition__Output } from "../rpc/gen/trainyard/v1/NodeCondition.ts";
import type { NodeReport__Output } from "../rpc/gen/trainyard/v1/NodeReport.ts";
import type { ObservedTask__Output } from "../rpc/gen/trainyard/v1/ObservedTask.ts";
import type { StoredPart__Output } from "../rpc/gen/trainyard/v1/StoredPart.ts";
import type { TaskExit__Output } from "../rpc/gen/trainyard/v1/TaskExit.ts";
import type { NodeReport, ObservedTask, StoredPart } from "./core/commands.ts";
import type { Rendezvous, TaskExit } from "./core/job.ts";
import type { Gpu, NodeCondition, NodeSpec } from "./core/state.ts";
import { decodeDigest, decodeNodeId } from "./service-decode.ts";

export interface DecodedHello {
  readonly spec: NodeSpec;
  readonly instance: AgentInstanceId;
  readonly report: NodeReport;
}

const INSTANCE = /^[A-Za-z0-9._-]{1,128}$/;
const CONDITION = /^[a-z_]{1,64}$/;
const JOB_ID = /^job-\d{1,15}$/;
const SIZE = { min: 0, max: Number.MAX_SAFE_INTEGER };
const RANK = { min: 0, max: 4_095 };
const TASKS_MAX = 4_096;
const PARTS_MAX = 4_096;
const STATES = ["preparing", "running", "ended"] as const;
const REASONS = [
  "exited",
  "signalled",
  "stopped",
  "killed",
  "prepare_failed",
  "restore_failed",
  "lease_expired",
  "disk_full",
  "supervisor_lost",
  "lost",
] as const satisfies readonly TaskExit["reason"][];

export function decodeHello(message: Hello__Output): DecodedHello {
  const id = decodeNodeId(message.node, "hello.node");
  const remedy = "An agent draws a fresh id at each start.";
  const instance = agentInstanceId(
    decodeMatching(message.instance, "hello.instance", INSTANCE, remedy),
  );
  const spec = { id, ...decodeInventory(message) };
  const report = message.report ?? { generation: 0, tasks: [], conditions: [] };
  return { spec, instance, report: decodeReport(report, id, instance) };
}

function decodeInventory(message: Hello__Output): Omit<NodeSpec, "id"> {
  if (message.address === "") {
    reject("hello.address", "", "missing", "Start the agent with --address.");
  }
  return {
    address: decodeText(message.address, "hello.address", 255),
    gpus: decodeGpus(message.gpus),
    cpuMilli: decodeWhole(message.cpuMilli, "hello.cpuMilli", SIZE),
    memoryMib: decodeWhole(message.memoryMib, "hello.memoryMib", SIZE),
    labels: decodeLabels(message.labels),
    agentVersion: decodeText(message.version, "hello.version", 64),
  };
}

function decodeGpus(messages: readonly AgentGpu__Output[]): readonly Gpu[] {
  const gpus = decodeList(messages, "hello.gpus", 1_024).map((gpu, at) => ({
    index: decodeWhole(gpu.index, `hello.gpus[${at}].index`, RANK),
    uuid: decodeText(gpu.uuid, `hello.gpus[${at}].uuid`, 128),
    type: decodeText(gpu.type, `hello.gpus[${at}].type`, 128),
    memoryMib: decodeWhole(gpu.memoryMib, `hello.gpus[${at}].memoryMib`, SIZE),
    island: decodeText(gpu.island, `hello.gpus[${at}].island`, 64),
  }));
  if (new Set(gpus.map((gpu) => gpu.index)).size === gpus.length) return gpus;
  return reject("hello.gpus", gpus.length, "with an index given twice", "Number them once each.");
}

function decodeLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of decodeList(Object.entries(labels), "hello.labels", 64)) {
    decodeText(`${name}${value}`, `hello.labels.${name}`, 512);
  }
  return { ...labels };
}

export function decodeReport(
  message: NodeReport__Output,
  nodeId: NodeId,
  instance: AgentInstanceId,
): NodeReport {
  const generation = decodeWhole(message.generation, "report.generation", SIZE);
  const tasks = decodeList(message.tasks, "report.tasks", TASKS_MAX);
  const conditions = decodeConditions(message.conditions);
  return { nodeId, instance, generation, tasks: tasks.map(decodeTask), conditions };
}

/** Any kind: a newer agent knows more of them, and its node is as unfit for that. */
function decodeConditions(messages: readonly NodeCondition__Output[]): readonly NodeCondition[] {
  return decodeList(messages, "report.conditions", 16).map(({ kind, message }, at) => ({
    kind: decodeMatching(
      kind,
      `report.conditions[${at}].kind`,
      CONDITION,
      "Lower-case letters and `_`.",
    ),
    message: message.slice(0, MESSAGE_CHARS_MAX),
  }));
}

function decodeTask(message: ObservedTask__Output, at: number): ObservedTask {
  const field = `report.tasks[${at}]`;
  const remedy = "Job ids are `job-<number>`.";
  return {
    jobId: jobId(decodeMatching(message.jobId, `${field}.jobId`, JOB_ID, remedy)),
    attempt: decodeWhole(message.attempt, `${field}.attempt`, { min: 1, max: SIZE.max }),
    rank: decodeWhole(message.rank, `${field}.rank`, RANK),
    state: decodeState(message, field),
    rendezvous: message.rendezvous === null ? null : decodeEndpoint(message.rendezvous, field),
    parts: decodeList(message.parts, `${field}.parts`, PARTS_MAX).map((part, index) =>
      decodePart(part, `${field}.parts[${index}]`),
    ),
  };
}

function decodeState(message: ObservedTask__Output, field: string): ObservedTask["state"] {
  const kind = decodeOneOf(message.state, `${field}.state`, STATES);
  if (kind !== "ended") return { kind };
  if (message.exit === null) reject(`${field}.exit`, null, "missing", "Say how the task ended.");
  return { kind, exit: decodeExit(message.exit, `${field}.exit`) };
}

const MESSAGE_CHARS_MAX = 2_000;

function decodeExit(message: TaskExit__Output, field: string): TaskExit {
  return {
    reason: decodeOneOf(message.reason, `${field}.reason`, REASONS),
    code: decodeWhole(message.code, `${field}.code`, { min: -1, max: 65_535 }),
    // A task's last words are cut, not refused: its end must be heard.
    message: message.message.slice(0, MESSAGE_CHARS_MAX),
  };
}

function decodeEndpoint(message: Endpoint__Output, field: string): Rendezvous {
  return {
    host: decodeText(message.host, `${field}.rendezvous.host`, 255),
    port: decodeWhole(message.port, `${field}.rendezvous.port`, { min: 1, max: 65_535 }),
  };
}

function decodePart(message: StoredPart__Output, field: string): StoredPart {
  return {
    step: decodeWhole(message.step, `${field}.step`, { min: 0, max: 999_999_999_999 }),
    takenAtMs: decodeWhole(message.takenAtUnixMs, `${field}.takenAtUnixMs`, SIZE),
    digest: message.digest === "" ? null : decodeDigest(message.digest, `${field}.digest`),
    sizeBytes: decodeWhole(message.sizeBytes, `${field}.sizeBytes`, SIZE),
    uploadedBytes: decodeWhole(message.uploadedBytes, `${field}.uploadedBytes`, SIZE),
  };
}
