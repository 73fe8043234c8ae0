// A submitted job as it came over the wire → a JobSpec that the core may trust: every field in its
// range, every default filled in. Whether the queue and the priority class exist is the core's to
// say.

import { queuePath } from "../base/ids.ts";
import type { Resources } from "../base/resources.ts";
import {
  decodeDurationMs,
  decodeList,
  decodeMatching,
  decodeOneOf,
  decodeText,
  decodeWhole,
  reject,
} from "../rpc/decode.ts";
import type { CheckpointPolicy__Output } from "../rpc/gen/trainyard/v1/CheckpointPolicy.ts";
import type { CodeBundle__Output } from "../rpc/gen/trainyard/v1/CodeBundle.ts";
import type { JobSpec__Output } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import type { Resources__Output } from "../rpc/gen/trainyard/v1/Resources.ts";
import type { TorchrunCommand__Output } from "../rpc/gen/trainyard/v1/TorchrunCommand.ts";
import {
  type CheckpointPolicy,
  type CodeBundle,
  type JobCommand,
  type JobSpec,
  TOPOLOGY_LEVELS,
  type TopologyRequest,
} from "./core/job.ts";
import { decodeDigest } from "./service-decode.ts";
import { decodeStart, type SpecContext } from "./service-spec-start.ts";

export const BUNDLE_BYTES_MAX = 2 * 1_024 * 1_048_576;

const KIB = 1_024;
/** Of one command together. Whatever else a spec may hold has a smaller limit of its own. */
const ARGUMENTS_BYTES_MAX = 1_024 * KIB;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const LOOKS_LIKE_ID = /^(job-)?\d+$/;
const QUEUE = /^[^/]{1,63}(\/[^/]{1,63}){0,7}$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;
const STOP_SIGNALS = ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "none"] as const;
const GRACE_DEFAULT_MS = 120_000;
const NODES_MAX = 4_096;
const PROCS_MAX = 64;
const GPU_TYPES_MAX = 16;
const SPOT_RULES = ["avoid", "allow", "prefer"] as const;
const TOPOLOGY_MODES = ["required", "preferred"] as const;

/** Throws a RefusalError that names the field below `spec`. */
export function decodeJobSpec(message: JobSpec__Output | null, context: SpecContext): JobSpec {
  if (message === null) reject("spec", null, "missing", "Say what to run.");
  const { timeLimit, grace } = message;
  const { nodes, nodesMin } = decodeNodes(message);
  const perNode = decodeResources(message.perNode);
  const { gpuTypes, mixesGpuTypes, topology, spot } = decodePlace(message);
  const { array, after, beginAtMs, deadlineMs, isHeld } = decodeStart(message, context);
  // One literal without spreads: with them each spec gets hidden classes of its own, which cost
  // 30 µs and stay in memory until the next full collection.
  return {
    name: decodeName(message.name),
    queue: queuePath(decodeQueue(message.queue)),
    priorityClass: decodeText(message.priorityClass || "normal", "spec.priorityClass", 63),
    nodes,
    nodesMin,
    perNode,
    gpuTypes,
    mixesGpuTypes,
    topology,
    spot,
    command: decodeCommand(message, perNode.gpus),
    env: decodeEnv(message.env),
    bundle: message.bundle === null ? null : decodeBundle(message.bundle),
    setup: decodeText(message.setup, "spec.setup", 64 * KIB),
    timeLimitMs: timeLimit === null ? null : decodeTimeLimit(timeLimit),
    graceMs: grace === null ? GRACE_DEFAULT_MS : decodeGrace(grace),
    stopSignal: decodeOneOf(message.stopSignal || "SIGTERM", "spec.stopSignal", STOP_SIGNALS),
    restartsMax: decodeWhole(message.restartsMax, "spec.restartsMax", { min: 0, max: 1_000 }),
    checkpoint: decodeCheckpoint(message.checkpoint),
    array,
    after,
    beginAtMs,
    deadlineMs,
    isHeld,
  };
}

function decodeName(name: string): string {
  const remedy = "Use 1 to 63 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.";
  if (LOOKS_LIKE_ID.test(name)) {
    reject("spec.name", name, "a name that looks like a job id", "Add a letter to it.");
  }
  return decodeMatching(name, "spec.name", NAME, remedy);
}

function decodeQueue(path: string): string {
  const remedy = "Give the full path of a leaf queue, such as `research/nlp`.";
  return decodeMatching(path || "default", "spec.queue", QUEUE, remedy);
}

function decodeResources(message: Resources__Output | null): Resources {
  if (message === null) return { gpus: 0, cpuMilli: 0, memoryMib: 0 };
  const upTo = (max: number): { min: number; max: number } => ({ min: 0, max });
  return {
    gpus: decodeWhole(message.gpus, "spec.perNode.gpus", upTo(1_024)),
    cpuMilli: decodeWhole(message.cpuMilli, "spec.perNode.cpuMilli", upTo(16_384_000)),
    memoryMib: decodeWhole(message.memoryMib, "spec.perNode.memoryMib", upTo(1_073_741_824)),
  };
}

function decodeNodes(message: JobSpec__Output): Pick<JobSpec, "nodes" | "nodesMin"> {
  const nodes = decodeWhole(message.nodes || 1, "spec.nodes", { min: 1, max: NODES_MAX });
  const nodesMin = decodeWhole(message.nodesMin || nodes, "spec.nodesMin", {
    min: 1,
    max: NODES_MAX,
  });
  if (nodesMin <= nodes) return { nodes, nodesMin };
  const remedy = "Give the fewest nodes in `nodes_min` and the most in `nodes`.";
  return reject("spec.nodesMin", nodesMin, `more than the ${nodes} of \`nodes\``, remedy);
}

/** Where it may run: types, topology, spot nodes. */
function decodePlace(
  message: JobSpec__Output,
): Pick<JobSpec, "gpuTypes" | "mixesGpuTypes" | "topology" | "spot"> {
  return {
    gpuTypes: decodeGpuTypes(message),
    mixesGpuTypes: message.mixesGpuTypes,
    topology: decodeTopology(message),
    spot: decodeOneOf(message.spot || "allow", "spec.spot", SPOT_RULES),
  };
}

function decodeGpuTypes({ gpuType, gpuTypes }: JobSpec__Output): readonly string[] {
  const types = decodeList(gpuTypes, "spec.gpuTypes", GPU_TYPES_MAX).map((type, at) => {
    const field = `spec.gpuTypes[${at}]`;
    if (type.trim() === "") reject(field, type, "no type", "Leave it out for any type.");
    return decodeText(type, field, 128);
  });
  const single = decodeText(gpuType, "spec.gpuType", 128);
  if (single === "" || types[0] === single) return types;
  if (types.length === 0) return [single];
  return reject("spec.gpuType", single, "beside gpuTypes", "Give `gpuTypes` alone.");
}

function decodeTopology({ topology, nodes }: JobSpec__Output): TopologyRequest | null {
  if (topology === null) return null;
  const level = decodeOneOf(topology.level, "spec.topology.level", TOPOLOGY_LEVELS);
  const mode = decodeOneOf(topology.mode || "required", "spec.topology.mode", TOPOLOGY_MODES);
  if (level === "node" && mode === "required" && nodes > 1) {
    const remedy = "Ask for one node, for a wider level such as `rack`, or for mode `preferred`.";
    reject("spec.topology.level", level, `impossible for a gang of ${nodes} nodes`, remedy);
  }
  return { level, mode };
}

function decodeCommand(message: JobSpec__Output, gpus: number): JobCommand {
  if (message.torchrun) return decodeTorchrun(message.torchrun, gpus);
  if (!message.exec) {
    reject("spec.command", null, "missing", "Give `torchrun` with a script, or `exec` with argv.");
  }
  const argv = decodeArguments(message.exec.argv, "spec.exec.argv");
  if (argv[0] === undefined || argv[0] === "") {
    reject("spec.exec.argv", argv, "without a program", "Give the program and its arguments.");
  }
  return { kind: "exec", argv };
}

function decodeTorchrun(message: TorchrunCommand__Output, gpus: number): JobCommand {
  const script = decodeText(message.script, "spec.torchrun.script", 4 * KIB);
  if (script === "") {
    const remedy = "Give a path inside the bundle, or an absolute one on the nodes.";
    reject("spec.torchrun.script", script, "missing", remedy);
  }
  const procs = message.procsPerNode || Math.min(PROCS_MAX, Math.max(1, gpus));
  return {
    kind: "torchrun",
    script,
    args: decodeArguments(message.args, "spec.torchrun.args"),
    procsPerNode: decodeWhole(procs, "spec.torchrun.procsPerNode", { min: 1, max: PROCS_MAX }),
    python: decodeText(message.python, "spec.torchrun.python", 4 * KIB),
  };
}

function decodeArguments(values: readonly string[], field: string): readonly string[] {
  let total = 0;
  for (const [index, value] of decodeList(values, field, 10_000).entries()) {
    // Linux takes at most 128 KiB in one argument or variable.
    decodeText(value, `${field}[${index}]`, 128 * KIB - 1);
    total += Buffer.byteLength(value);
  }
  if (total > ARGUMENTS_BYTES_MAX) {
    const rule = `over the limit of ${ARGUMENTS_BYTES_MAX} bytes`;
    const remedy = "Put large data into files: the working directory travels with the job.";
    reject(field, `${total} bytes`, rule, remedy, "TOO_LARGE");
  }
  return values;
}

function decodeEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = decodeList(Object.entries(env), "spec.env", 1_000);
  const remedy = "Names have letters, digits and `_`, and do not begin with a digit.";
  let total = 0;
  for (const [name, value] of entries) {
    decodeMatching(name, "spec.env", ENV_NAME, remedy);
    decodeText(value, `spec.env.${name}`, 128 * KIB - 1 - name.length);
    total += name.length + Buffer.byteLength(value);
  }
  if (total > 256 * KIB) {
    reject("spec.env", `${total} bytes`, "over 262144 bytes", "Put large values into files.");
  }
  return Object.fromEntries(entries);
}

function decodeBundle(message: CodeBundle__Output): CodeBundle {
  return {
    digest: decodeDigest(message.digest, "spec.bundle.digest"),
    sizeBytes: decodeWhole(message.sizeBytes, "spec.bundle.sizeBytes", {
      min: 1,
      max: BUNDLE_BYTES_MAX,
    }),
    commit: decodeText(message.commit, "spec.bundle.commit", 128),
    isDirty: message.isDirty,
  };
}

function decodeTimeLimit(duration: { seconds: number; nanos: number }): number {
  const ms = decodeDurationMs(duration, "spec.timeLimit");
  if (ms > 0) return ms;
  return reject("spec.timeLimit", "0 s", "no time at all", "Leave it out for no limit.");
}

function decodeGrace(duration: { seconds: number; nanos: number }): number {
  const ms = decodeDurationMs(duration, "spec.grace");
  if (ms <= 86_400_000) return ms;
  return reject("spec.grace", `${ms} ms`, "longer than a day", "Give at most 24 h.");
}

function decodeCheckpoint(message: CheckpointPolicy__Output | null): CheckpointPolicy {
  const patterns = decodeList(message?.patterns ?? [], "spec.checkpoint.patterns", 64);
  return {
    keep: decodeWhole(message?.keep || 3, "spec.checkpoint.keep", { min: 1, max: 1_000 }),
    patterns: patterns.map((pattern, index) => {
      const field = `spec.checkpoint.patterns[${index}]`;
      if (pattern === "") reject(field, pattern, "no pattern", "Leave it out.");
      return decodeText(pattern, field, 255);
    }),
  };
}
