// The job file: its fields, what each accepts, and their meaning. The JSON schema for editors and
// the reference come from here.

import { z } from "zod";
import { DAY_MS } from "../../base/time.ts";
import { parseGpus } from "../../config/words.ts";
import type { ForeignKeys } from "../../config/zod-problems.ts";
import {
  durationMs,
  memoryMib,
  shown,
  textField,
  wholeNumber,
  worded,
} from "../../config/zod-words.ts";
import { nodesField } from "./nodes-field.ts";
import { afterField, arrayField, beginField } from "./start-fields.ts";

const GPUS_PER_NODE_MAX = 4096;
const ENV_VALUE_MAX = 32_768;

function pattern(regex: RegExp, what: string) {
  return textField(what).regex(regex, { error: (issue) => `${shown(issue.input)} is not ${what}` });
}

const words = z.array(textField("text"), {
  error: (issue) => `${shown(issue.input)} is not a list of words`,
});

const gpus = worded((text) => {
  const result = parseGpus(text);
  if (!result.ok || result.value.count <= GPUS_PER_NODE_MAX) return result;
  return {
    ok: false,
    problem: `${shown(text)} asks for more than ${GPUS_PER_NODE_MAX} GPUs a node`,
  };
});

const cpus = z
  .number({ error: (issue) => `${shown(issue.input)} is not a number of cores` })
  .min(0, { error: (issue) => `${shown(issue.input)} is negative` })
  .max(65_536, { error: (issue) => `${shown(issue.input)} is over 65536 cores` });

const resources = z.strictObject(
  {
    gpus: gpus
      .optional()
      .describe("GPUs of each node: a count, or a model and a count. Default 0."),
    accelerators: gpus.optional().describe("Another name of gpus, as SkyPilot has it."),
    gpu_types: words
      .min(1, { error: "is empty; leave it out for any type" })
      .max(16, { error: "names more than 16 types" })
      .optional()
      .describe(
        "Models that will do, the preferred one first: the first on which the whole job fits is " +
          "taken. MIG slices only where MIG is named. Default: any.",
      ),
    mix_gpu_types: z
      .boolean({ error: (issue) => `${shown(issue.input)} is neither true nor false` })
      .optional()
      .describe("The nodes of the job may have different models. Default false."),
    cpus: cpus
      .optional()
      .describe("CPU cores of each node, such as 8 or 2.5. Default: not accounted."),
    memory: memoryMib().optional().describe("Memory of each node. Default: not accounted."),
  },
  { error: (issue) => `${shown(issue.input)} is not a map such as {gpus: 2, memory: 24GB}` },
);

const torchrun = z.strictObject(
  {
    script: textField("a path")
      .min(1, { error: "is empty" })
      .describe("Path inside workdir, or absolute on the nodes."),
    args: words.optional().describe("Arguments of the script."),
    procs_per_node: wholeNumber({ min: 0, max: 64 })
      .optional()
      .describe("Workers on each node; 0 = one for each GPU, or 1 without GPUs. Default 0."),
    python: textField("a program")
      .optional()
      .describe("Interpreter that has torch. Default: the agent's."),
  },
  { error: (issue) => `${shown(issue.input)} is not a map with script and args` },
);

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  const list = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return z.enum(values, { error: (issue) => `${shown(issue.input)} is not ${list}` });
}

const topology = z.strictObject(
  {
    level: oneOf(["island", "node", "rack", "block"]).describe(
      "rack, block: all nodes inside one. node: all on one. island: each node's GPUs in one " +
        "NVLink island.",
    ),
    mode: oneOf(["required", "preferred"])
      .optional()
      .describe(
        "preferred: at this level if there is room, else at the next wider one, else anywhere. " +
          "Default required.",
      ),
  },
  { error: (issue) => `${shown(issue.input)} is not a map such as {level: rack}` },
);

const env = z.record(
  pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, "a name of an environment variable"),
  z.union([z.string().max(ENV_VALUE_MAX), z.number(), z.boolean()], {
    error: (issue) => `${shown(issue.input)} is not text of at most ${ENV_VALUE_MAX} characters`,
  }),
  { error: (issue) => `${shown(issue.input)} is not a map of environment variables` },
);

const checkpoint = z.strictObject(
  {
    keep: wholeNumber({ min: 1, max: 1000 })
      .optional()
      .describe("Committed checkpoints to keep. Default 3."),
    patterns: words
      .optional()
      .describe("Names to look for below the checkpoint folder. Default: the known layouts."),
  },
  { error: (issue) => `${shown(issue.input)} is not a map such as {keep: 3}` },
);

const restartsRange = { min: 0, max: 1000 } as const;

export const jobFileSchema = z.strictObject(
  {
    name: pattern(
      /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
      "a job name: letters, digits, `.`, `_`, `-`, at most 63",
    )
      .optional()
      .describe("Name of the job; need not be unique. Default: from the file or the script."),
    queue: pattern(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "a queue such as research/nlp")
      .optional()
      .describe(
        "Full path of a leaf queue. Default: `project` of the configuration, else `default`.",
      ),
    priority: pattern(/^[a-z][a-z0-9-]*$/, "a priority class such as low, normal or high")
      .optional()
      .describe("Priority class. Default normal."),
    nodes: nodesField
      .optional()
      .describe(
        "Nodes, all placed together or not at all; 2..4 or {min: 2, max: 4} = as many of these " +
          "as there are. Default 1.",
      ),
    num_nodes: nodesField.optional().describe("Another name of nodes, as SkyPilot has it."),
    resources: resources.optional().describe("What each node must give."),
    topology: topology.optional().describe("How close together its nodes must be."),
    spot: oneOf(["avoid", "allow", "prefer"])
      .optional()
      .describe(
        "Spot nodes: avoid = never, allow = as any other, prefer = first, while they have room. Default allow.",
      ),
    workdir: textField("a path")
      .nullable()
      .optional()
      .describe("Folder whose code travels with the job; null = none. Default: the current one."),
    setup: textField("shell text")
      .optional()
      .describe("Shell line before the command, once a node and attempt."),
    run: z
      .union([z.string().min(1), words.min(1)], {
        error: (issue) => `${shown(issue.input)} is neither shell text nor a list of words`,
      })
      .optional()
      .describe("What each node runs: shell text, or a program and its arguments as a list."),
    torchrun: torchrun.optional().describe("Training script that torchrun starts on each node."),
    env: env.optional().describe("Environment variables of the processes."),
    envs: env.optional().describe("Another name of env, as SkyPilot has it."),
    time_limit: durationMs({ min: 1000, max: 365 * DAY_MS })
      .optional()
      .describe("Running time of one attempt, after which the job fails. Default: none."),
    grace: durationMs({ min: 0, max: DAY_MS })
      .optional()
      .describe("Time for a last checkpoint when preempted. Default 2m."),
    signal: z
      .enum(["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "none"], {
        error: (issue) => `${shown(issue.input)} is not SIGTERM, SIGUSR1, SIGUSR2, SIGINT or none`,
      })
      .optional()
      .describe("What tells the workers to save and end. Default SIGTERM."),
    restarts: z
      .union([wholeNumber(restartsRange), z.strictObject({ max: wholeNumber(restartsRange) })], {
        error: (issue) => `${shown(issue.input)} is not a whole number from 0 to 1000`,
      })
      .optional()
      .describe("Restarts after own failures; preemptions and lost nodes are free. Default 0."),
    checkpoint: checkpoint.optional().describe("Which checkpoints to look for, how many to keep."),
    array: arrayField
      .optional()
      .describe("Many jobs of this one spec: 0-99%10, or a map. Default: one job."),
    after: afterField
      .optional()
      .describe("Jobs that must have ended before: [job-41:ok, prep:any]. Default: none."),
    begin_at: beginField.optional().describe("Not before: +2h, or a date and time. Default: now."),
    deadline: beginField
      .optional()
      .describe(
        "By when it should have ended: +6h, or a date and time. Needs time_limit, and counts in " +
          "queues of order edf. Default: none.",
      ),
    held: z
      .boolean({ error: (issue) => `${shown(issue.input)} is neither true nor false` })
      .optional()
      .describe("Whether it waits for `trainyard release`. Default false."),
  },
  {
    error: (issue) => `${shown(issue.input)} is not a map with fields such as name, resources, run`,
  },
);

export type JobFile = z.output<typeof jobFileSchema>;

/** Two names of one field. Left: what is understood besides; right: what it is called here. */
export const ALIASES: readonly (readonly [string, string])[] = [
  ["num_nodes", "nodes"],
  ["envs", "env"],
  ["resources.accelerators", "resources.gpus"],
];

/** Keys of other tools' files: an answer better than "unknown". */
export const FOREIGN_KEYS: ForeignKeys = {
  file_mounts: "is not supported; put the files into workdir, or read them from shared storage",
  secrets: "is not supported; set env, or let the job read a file on the nodes",
  sweep: "is not supported; submit an array, and read $TRAINYARD_ARRAY_INDEX",
  gpus: "belongs under resources: `resources: {gpus: 2}`",
  accelerators: "belongs under resources: `resources: {gpus: H100:8}`",
  cpus: "belongs under resources: `resources: {cpus: 8}`",
  memory: "belongs under resources: `resources: {memory: 24GB}`",
  command: "is called run here",
  commands: "is called run here",
  script: "belongs under torchrun: `torchrun: {script: train.py}`",
  args: "belongs under torchrun: `torchrun: {script: train.py, args: [...]}`",
  image: "is not supported: jobs run in the nodes' own environment; see `setup`",
  service: "is not supported: this runs training jobs",
  "resources.cloud": "is not supported: the cluster is the one that you submit to",
  "resources.region": "is not supported: the cluster is the one that you submit to",
  "resources.infra": "is not supported: the cluster is the one that you submit to",
  "resources.use_spot": "is called spot here: `spot: prefer`",
  "resources.job_recovery": "is not needed: jobs come back by themselves; see restarts",
  "resources.gpu": "is called gpus here",
  "resources.mem": "is called memory here",
  "checkpoint.dir": "is not needed: write to $TRAINYARD_CHECKPOINT_DIR",
  "checkpoint.every": "is up to the script: every checkpoint that it writes is kept track of",
  "checkpoint.upload": "is not needed: checkpoints go to the cluster's object store",
  "restarts.on": "is not needed: preemptions and lost nodes are always retried",
};
