// The flags that describe a job, shared by `submit` and `run`, and what they say to the job file.

import { flag, list, path, text } from "../config/kinds.ts";
import type { Option, OptionValues } from "../config/option.ts";
import { option, optional } from "../config/option.ts";
import type { Host } from "../config/host.ts";
import { usageError } from "./failure.ts";
import type { Override } from "./spec/overrides.ts";
import { parseSet } from "./spec/overrides.ts";

/** Read as text here; the job file's rules check them. */
function field(name: string, placeholder: string, help: string, short = ""): Option<string | null> {
  return optional(text({ placeholder }), { name, help, short });
}

const repeated = (placeholder: string) => list(text({ placeholder }));

export const SUBMIT_FLAGS = {
  name: field("name", "<name>", "Name of the job."),
  queue: optional(text({ placeholder: "<queue>", completion: "queue" }), {
    name: "queue",
    help: "Full path of a leaf queue.",
  }),
  priority: field(
    "priority",
    "<class>",
    "Priority class: low, normal, high, or an operator's own.",
  ),
  nodes: field(
    "nodes",
    "<n|min..max>",
    "Nodes, all placed together or not at all; 2..4: as there are.",
    "N",
  ),
  gpus: field("gpus", "<n|model:n>", "GPUs of each node: 8, or H100:8.", "g"),
  gpuTypes: field("gpu-types", "<model,...>", "Models that will do, the preferred one first."),
  topology: field("topology", "<level[:preferred]>", "All in one island, node, rack or block."),
  spot: field("spot", "<rule>", "Spot nodes: avoid, allow or prefer."),
  cpus: field("cpus", "<n>", "CPU cores of each node."),
  memory: field("memory", "<size>", "Memory of each node, such as 24GB."),
  procsPerNode: field("procs-per-node", "<n>", "torchrun workers on each node."),
  python: field("python", "<program>", "Interpreter that has torch."),
  env: option(repeated("<key[=value]>"), {
    name: "env",
    short: "e",
    help: "Environment variable; without a value, your own.",
    fallback: [],
    fallbackText: "none",
  }),
  setup: field("setup", "<shell>", "Shell line before the command, once a node."),
  timeLimit: field("time-limit", "<duration>", "Running time of one attempt: 30m, 1-12:00:00."),
  grace: field("grace", "<duration>", "Time for a last checkpoint when preempted."),
  signal: field("signal", "<name>", "What tells workers to save and end: SIGTERM, SIGUSR1 …"),
  restarts: field("restarts", "<n>", "Restarts after the job's own failures."),
  array: field("array", "<indexes[%k]>", "Many jobs of one spec: 0-99%10, at most 10 at once."),
  after: field("after", "<job[:ok|failed|any],...>", "Start only after these have ended so."),
  beginAt: field("begin-at", "<time|+duration>", "Do not start before: +2h, 2027-01-31T08:00."),
  deadline: field("deadline", "<time|+duration>", "By when it should have ended (order edf)."),
  hold: option(flag(), {
    name: "hold",
    help: "Wait for `trainyard release`.",
    fallback: false,
  }),
  workdir: optional(path("directory"), {
    name: "workdir",
    short: "C",
    help: "Folder whose code travels with the job.",
  }),
  noCode: option(flag(), {
    name: "no-code",
    help: "The command needs no code of its own.",
    fallback: false,
  }),
  set: option(repeated("<field=value>"), {
    name: "set",
    help: "Set any field of the job file, such as checkpoint.keep=5.",
    fallback: [],
    fallbackText: "none",
  }),
  idempotencyKey: field(
    "idempotency-key",
    "<text>",
    "A second submit with this key is the first one.",
  ),
} as const;

export type SubmitFlags = OptionValues<typeof SUBMIT_FLAGS>;

type TextFlag = {
  [Key in keyof SubmitFlags]: SubmitFlags[Key] extends string | null ? Key : never;
};

const FIELDS: readonly (readonly [TextFlag[keyof TextFlag], string, string])[] = [
  ["name", "--name", "name"],
  ["queue", "--queue", "queue"],
  ["priority", "--priority", "priority"],
  ["nodes", "--nodes", "nodes"],
  ["gpus", "--gpus", "resources.gpus"],
  ["gpuTypes", "--gpu-types", "resources.gpu_types"],
  ["topology", "--topology", "topology"],
  ["spot", "--spot", "spot"],
  ["cpus", "--cpus", "resources.cpus"],
  ["memory", "--memory", "resources.memory"],
  ["procsPerNode", "--procs-per-node", "torchrun.procs_per_node"],
  ["python", "--python", "torchrun.python"],
  ["setup", "--setup", "setup"],
  ["timeLimit", "--time-limit", "time_limit"],
  ["grace", "--grace", "grace"],
  ["signal", "--signal", "signal"],
  ["restarts", "--restarts", "restarts"],
  ["array", "--array", "array"],
  ["after", "--after", "after"],
  ["beginAt", "--begin-at", "begin_at"],
  ["deadline", "--deadline", "deadline"],
  ["workdir", "--workdir", "workdir"],
];

/** Fields that are numbers in the file: digits of a flag become one. */
const NUMBERS: ReadonlySet<string> = new Set([
  "nodes",
  "resources.cpus",
  "torchrun.procs_per_node",
  "restarts",
]);

/** In the order of strength: `--set` first, flags after. */
export async function flagOverrides(flags: SubmitFlags, host: Host): Promise<readonly Override[]> {
  const sets = await Promise.all(flags.set.map(parseSet));
  const fields = FIELDS.flatMap(([key, where, path]): Override[] => {
    const value = flags[key];
    if (value === null) return [];
    return [{ path: path.split("."), value: valueOf(path, value), where }];
  });
  const code = flags.noCode ? [{ path: ["workdir"], value: null, where: "--no-code" }] : [];
  const held = flags.hold ? [{ path: ["held"], value: true, where: "--hold" }] : [];
  return [
    ...sets,
    ...fields,
    ...code,
    ...held,
    ...flags.env.map((word) => envOverride(word, host)),
  ];
}

/** As the job file has it. */
function valueOf(path: string, value: string): unknown {
  if (NUMBERS.has(path)) return numeric(value);
  if (path === "resources.gpu_types") return value.split(",").map((type) => type.trim());
  if (path !== "topology") return value;
  const [level, mode] = value.split(":");
  return mode === undefined ? { level } : { level, mode };
}

function numeric(value: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

function envOverride(word: string, host: Host): Override {
  const at = word.indexOf("=");
  const key = at < 0 ? word : word.slice(0, at);
  const value = at < 0 ? host.env[key] : word.slice(at + 1);
  if (key === "" || value === undefined) {
    throw usageError(
      `--env ${JSON.stringify(word)} names a variable that is not set here.`,
      "Write --env KEY=VALUE.",
      "env",
    );
  }
  return { path: ["env", key], value, where: `--env ${key}` };
}
