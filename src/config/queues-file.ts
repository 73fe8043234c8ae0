// The queue tree as operators write it: nested, each queue with its guarantee, limit and weight.
// Checks what a file alone can say; whether the cluster agrees is the scheduler's to decide.

import { z } from "zod";
import { DAY_MS } from "../base/time.ts";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";
import type { YamlFile } from "./yaml-file.ts";
import { readYamlFile } from "./yaml-file.ts";
import type { Path } from "./zod-problems.ts";
import { pathText, zodProblems } from "./zod-problems.ts";
import { durationMs, memoryMib, shown, wholeNumber } from "./zod-words.ts";

const GPUS = { min: 0, max: 1_000_000 } as const;
const CPUS = { min: 0, max: 1_000_000 } as const;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Full path, as `QueueSpec` of the API has it. */
export interface QueueSettings {
  readonly path: string;
  /** GPUs. */
  readonly guarantee: number;
  readonly guaranteeCpuMilli: number | null;
  readonly guaranteeMemoryMib: number | null;
  /** GPUs; null = the parent's. */
  readonly limit: number | null;
  readonly limitCpuMilli: number | null;
  readonly limitMemoryMib: number | null;
  readonly borrowingLimit: number | null;
  readonly lendingLimit: number | null;
  readonly weight: number;
  readonly order: "fifo" | "las" | "edf" | "shortest";
  readonly usageHalfLifeMs: number | null;
}

interface Amounts {
  readonly gpus?: number | undefined;
  /** Cores. */
  readonly cpus?: number | undefined;
  /** MiB. */
  readonly memory?: number | undefined;
}

interface QueueNode {
  readonly guarantee?: number | Amounts | undefined;
  readonly limit?: number | Amounts | null | undefined;
  readonly borrowing_limit?: number | undefined;
  readonly lending_limit?: number | undefined;
  readonly usage_half_life?: number | undefined;
  readonly weight?: number | undefined;
  readonly order?: "fifo" | "las" | "edf" | "shortest" | undefined;
  readonly queues?: Readonly<Record<string, QueueNode | null>> | undefined;
}

const queueNames = z.string().regex(NAME, {
  error: (issue) =>
    `${shown(issue.input)} is not a queue name: letters, digits, \`.\`, \`_\`, \`-\``,
});

/** GPUs alone, or `{gpus: 16, cpus: 64, memory: 512GiB}`. */
function amounts() {
  const error = (issue: { readonly input?: unknown }): string =>
    `${shown(issue.input)} is neither a whole number from 0 to ${GPUS.max} nor a map such as ` +
    "{gpus: 16, cpus: 64, memory: 512GiB}";
  const map = z.strictObject({
    gpus: wholeNumber(GPUS).optional().describe("GPUs."),
    cpus: wholeNumber(CPUS).optional().describe("CPU cores."),
    memory: memoryMib().optional().describe("Memory of the hosts, such as 512GiB."),
  });
  return z.union([wholeNumber(GPUS), map], { error });
}

const queueNode: z.ZodType<QueueNode> = z.strictObject({
  guarantee: amounts()
    .optional()
    .describe("What is the queue's own whenever it asks; a number is GPUs. Default 0."),
  limit: amounts()
    .nullable()
    .optional()
    .describe("The most at any time; a number is GPUs. Default: the parent's."),
  borrowing_limit: wholeNumber(GPUS)
    .optional()
    .describe("GPUs above its guarantee that it may use while others leave them. Default: any."),
  lending_limit: wholeNumber(GPUS)
    .optional()
    .describe("GPUs of its guarantee that others may use while it does not; the rest stays idle."),
  weight: wholeNumber({ min: 0, max: 1_000_000 })
    .optional()
    .describe("Part of what nobody is guaranteed, against its siblings. Default 1."),
  order: z
    .enum(["fifo", "las", "edf", "shortest"], {
      error: (issue) => `${shown(issue.input)} is unknown; write fifo, las, edf or shortest`,
    })
    .optional()
    .describe(
      "las: least attained GPU time first, who had less takes turns with who had much; fifo; edf: " +
        "earliest deadline first, while it can be met; shortest: fewest GPU hours to come first, by " +
        "forecast or time limit, else as long as such jobs ran. Default las.",
    ),
  usage_half_life: durationMs({ min: 0, max: 365 * DAY_MS })
    .optional()
    .describe(
      "At the top, for the whole tree, instead of the policy's; 0 = only what runs counts.",
    ),
  get queues() {
    return queueMap().optional().describe("Queues below this one.");
  },
});

function queueMap() {
  return z.record(queueNames, queueNode.nullable(), {
    error: (issue) => `${shown(issue.input)} is not a map of queues by name`,
  });
}

export const queuesFileSchema = z.strictObject(
  { queues: queueMap().describe("Queues at the top, by name.") },
  { error: (issue) => `${shown(issue.input)} is not a map with the key \`queues\`` },
);

/** @throws RefusalError naming line, field and value of every mistake. */
export async function readQueuesFile(path: string): Promise<readonly QueueSettings[]> {
  return parseQueues(await readYamlFile(path, { file: path, code: "QUEUE_INVALID" }));
}

/** Parents before children, in the order of the file. */
export function parseQueues(yaml: YamlFile): readonly QueueSettings[] {
  const result = queuesFileSchema.safeParse(yaml.value);
  const problems = result.success
    ? guaranteeProblems(yaml, result.data.queues, ["queues"])
    : zodProblems(result.error.issues, { schema: queuesFileSchema, placer: yaml });
  if (!result.success || problems.length > 0) {
    throw problemsError("QUEUE_INVALID", problems, `Mend ${yaml.file}.`);
  }
  return flatten(result.data.queues, "");
}

/** Where the file names the field that the scheduler calls `PATH: WORD`; null = nowhere. */
export function placeOfField(yaml: YamlFile, field: string): string | null {
  const [path = "", word = ""] = field.split(": ");
  const at = path.split("/").flatMap((name) => ["queues", name]);
  let node: unknown = yaml.value;
  for (const key of at) {
    if (typeof node !== "object" || node === null || !(key in node)) return null;
    node = Reflect.get(node, key);
  }
  return yaml.where([...at, ...word.split(".")]);
}

function flatten(
  queues: Readonly<Record<string, QueueNode | null>>,
  above: string,
): readonly QueueSettings[] {
  return Object.entries(queues).flatMap(([name, node]) => [
    {
      path: above + name,
      ...quotas(node),
      weight: node?.weight ?? 1,
      order: node?.order ?? "las",
      usageHalfLifeMs: node?.usage_half_life ?? null,
    },
    ...flatten(node?.queues ?? {}, `${above}${name}/`),
  ]);
}

type Quotas = Omit<QueueSettings, "path" | "weight" | "order" | "usageHalfLifeMs">;

function quotas(node: QueueNode | null): Quotas {
  const [own, most] = [amountsOf(node?.guarantee), amountsOf(node?.limit)];
  const milli = (cores: number | undefined): number | null =>
    cores === undefined ? null : cores * 1_000;
  return {
    guarantee: own.gpus ?? 0,
    guaranteeCpuMilli: milli(own.cpus),
    guaranteeMemoryMib: own.memory ?? null,
    limit: most.gpus ?? null,
    limitCpuMilli: milli(most.cpus),
    limitMemoryMib: most.memory ?? null,
    borrowingLimit: node?.borrowing_limit ?? null,
    lendingLimit: node?.lending_limit ?? null,
  };
}

const amountsOf = (given: number | Amounts | null | undefined): Amounts =>
  typeof given === "number" ? { gpus: given } : (given ?? {});

/** A guarantee must fit under its own limit, and children's guarantees into their parent's. */
function guaranteeProblems(
  yaml: YamlFile,
  queues: Readonly<Record<string, QueueNode | null>>,
  at: Path,
): readonly Problem[] {
  return Object.entries(queues).flatMap(([name, node]) => {
    if (node === null) return [];
    const path = [...at, name];
    const own = ownProblem(node);
    const found = own === null ? [] : [problemAt(yaml, [...path, "guarantee"], own)];
    return [...found, ...guaranteeProblems(yaml, node.queues ?? {}, [...path, "queues"])];
  });
}

function ownProblem(node: QueueNode): string | null {
  const { guarantee, limit } = quotas(node);
  if (limit !== null && guarantee > limit) {
    return `${guarantee} is over the queue's own limit of ${limit}`;
  }
  const below = Object.values(node.queues ?? {}).reduce(
    (sum, one) => sum + quotas(one).guarantee,
    0,
  );
  if (below <= guarantee) return null;
  return `${guarantee} is less than the ${below} that the queues below it are guaranteed`;
}

function problemAt(yaml: YamlFile, path: Path, message: string): Problem {
  return { where: yaml.where(path), path: pathText(path), message };
}
