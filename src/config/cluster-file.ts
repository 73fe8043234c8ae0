// A cluster to simulate as people write it: kinds of nodes, and how many there are of each.

import { z } from "zod";
import { problemsError } from "./problem.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";
import { zodProblems } from "./zod-problems.ts";
import { memoryMib, shown, textField, wholeNumber } from "./zod-words.ts";

const NODES_MAX = 100_000;
const GPUS_MAX = 1_024;

const group = z.strictObject(
  {
    count: wholeNumber({ min: 1, max: NODES_MAX }).optional().describe("How many. Default 1."),
    gpus: wholeNumber({ min: 0, max: GPUS_MAX }).describe("GPUs of each."),
    type: textField("a GPU model")
      .min(1, { error: "is empty; leave it out where all are alike" })
      .optional()
      .describe("GPU model, as jobs ask for it. Default `virtual`."),
    island: wholeNumber({ min: 1, max: GPUS_MAX })
      .optional()
      .describe("So many GPUs of a node are joined by NVLink. Default: not known."),
    cpus: wholeNumber({ min: 1, max: 100_000 })
      .optional()
      .describe("CPU cores of each. Default: not accounted."),
    memory: memoryMib().optional().describe("Memory of each. Default: not accounted."),
    labels: z
      .record(z.string(), textField("text"), {
        error: (issue) =>
          `${shown(issue.input)} is not a map such as {trainyard.dev/topology-rack: r1}`,
      })
      .optional()
      .describe("As `trainyard agent --label` gives them: racks, blocks, spot."),
  },
  { error: (issue) => `${shown(issue.input)} is not a map such as {count: 4, gpus: 8}` },
);

export const clusterFileSchema = z.strictObject({
  nodes: z
    .array(group, { error: (issue) => `${shown(issue.input)} is not a list of kinds of nodes` })
    .min(1, { error: "needs one kind of nodes or more" })
    .refine((groups) => groups.reduce((sum, one) => sum + (one.count ?? 1), 0) <= NODES_MAX, {
      error: `are more than ${NODES_MAX}`,
    })
    .refine((groups) => groups.some(({ gpus }) => gpus !== 0), { error: "have no GPU" }),
});

/** Nodes alike. */
export interface NodeGroupSettings {
  readonly count: number;
  readonly gpus: number;
  /** Null = any. */
  readonly type: string | null;
  /** GPUs of an NVLink island; null = not known. */
  readonly island: number | null;
  /** 0 = not accounted for; so is memory. */
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** @throws RefusalError naming line, field and value of every mistake. */
export async function readClusterFile(path: string): Promise<readonly NodeGroupSettings[]> {
  return parseCluster(await readYamlFile(path, { file: path, code: "INVALID_TRACE" }));
}

export function parseCluster(yaml: YamlFile): readonly NodeGroupSettings[] {
  const result = clusterFileSchema.safeParse(yaml.value);
  if (!result.success) {
    const options = { schema: clusterFileSchema, placer: yaml };
    const problems = zodProblems(result.error.issues, options);
    throw problemsError("INVALID_TRACE", problems, `Mend ${yaml.file}.`);
  }
  return result.data.nodes.map(({ count, gpus, type, island, cpus, memory, labels }) => ({
    count: count ?? 1,
    gpus,
    type: type ?? null,
    island: island ?? null,
    cpuMilli: (cpus ?? 0) * 1_000,
    memoryMib: memory ?? 0,
    labels: labels ?? {},
  }));
}
