// The queue tree as operators write it: nested, each queue with its guarantee, limit and weight.
// Checks what a file alone can say; whether the cluster agrees is the scheduler's to decide.

import { z } from "zod";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";
import type { YamlFile } from "./yaml-file.ts";
import { readYamlFile } from "./yaml-file.ts";
import type { Path } from "./zod-problems.ts";
import { pathText, zodProblems } from "./zod-problems.ts";
import { shown, wholeNumber } from "./zod-words.ts";

const GPUS = { min: 0, max: 1_000_000 } as const;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Full path, as `QueueSpec` of the API has it. */
export interface QueueSettings {
  readonly path: string;
  readonly guarantee: number;
  /** null = the parent's. */
  readonly limit: number | null;
  readonly weight: number;
  readonly order: "fifo" | "las";
}

interface QueueNode {
  readonly guarantee?: number | undefined;
  readonly limit?: number | null | undefined;
  readonly weight?: number | undefined;
  readonly order?: "fifo" | "las" | undefined;
  readonly queues?: Readonly<Record<string, QueueNode | null>> | undefined;
}

const queueNames = z.string().regex(NAME, {
  error: (issue) =>
    `${shown(issue.input)} is not a queue name: letters, digits, \`.\`, \`_\`, \`-\``,
});

const queueNode: z.ZodType<QueueNode> = z.strictObject({
  guarantee: wholeNumber(GPUS)
    .optional()
    .describe("GPUs that are the queue's own whenever it asks. Default 0."),
  limit: wholeNumber(GPUS)
    .nullable()
    .optional()
    .describe("Largest number of GPUs at any time. Default: the parent's."),
  weight: wholeNumber({ min: 0, max: 1_000_000 })
    .optional()
    .describe("Part of what nobody is guaranteed, against its siblings. Default 1."),
  order: z
    .enum(["fifo", "las"], {
      error: (issue) => `${shown(issue.input)} is unknown; write fifo or las`,
    })
    .optional()
    .describe("fifo, or las: least attained GPU time first. Default fifo."),
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

function flatten(
  queues: Readonly<Record<string, QueueNode | null>>,
  above: string,
): readonly QueueSettings[] {
  return Object.entries(queues).flatMap(([name, node]) => [
    {
      path: above + name,
      guarantee: node?.guarantee ?? 0,
      limit: node?.limit ?? null,
      weight: node?.weight ?? 1,
      order: node?.order ?? "fifo",
    },
    ...flatten(node?.queues ?? {}, `${above}${name}/`),
  ]);
}

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
  const guarantee = node.guarantee ?? 0;
  if (node.limit !== undefined && node.limit !== null && guarantee > node.limit) {
    return `${guarantee} is over the queue's own limit of ${node.limit}`;
  }
  const below = Object.values(node.queues ?? {}).reduce(
    (sum, one) => sum + (one?.guarantee ?? 0),
    0,
  );
  if (below > guarantee) {
    return `${guarantee} is less than the ${below} that the queues below it are guaranteed`;
  }
  return null;
}

function problemAt(yaml: YamlFile, path: Path, message: string): Problem {
  return { where: yaml.where(path), path: pathText(path), message };
}
