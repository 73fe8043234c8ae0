// The nodes of a simulated cluster: as many kinds of them as one likes. Knows no jobs but for the
// question whether these nodes could ever hold one.

import { agentInstanceId, nodeId } from "../../base/ids.ts";
import { apply, createState } from "../../scheduler/core/apply.ts";
import type { Hold } from "../../scheduler/core/hold.ts";
import type { JobSpec } from "../../scheduler/core/job.ts";
import { poolOf } from "../../scheduler/core/node-pools.ts";
import { shapeKey, shapeOf } from "../../scheduler/core/shape.ts";
import type { Gpu, NodeSpec } from "../../scheduler/core/state.ts";
import { structuralHold } from "../../scheduler/core/structural.ts";

/** All that a node says of itself but who it is. */
export interface NodeShape extends Pick<NodeSpec, "cpuMilli" | "memoryMib" | "labels"> {
  readonly gpus: readonly Omit<Gpu, "uuid">[];
}

export interface ClusterShape {
  /** One entry for each node; those that are alike may be one object. */
  readonly nodes: readonly NodeShape[];
}

/** GPU model of nodes of which nothing is said. */
const ANY_TYPE = "virtual";

type NodeGpu = NodeShape["gpus"][number];

/** `islandGpus`: GPUs of each NVLink island; null = not known. */
const gpusLike = (
  gpu: Pick<NodeGpu, "type" | "memoryMib">,
  count: number,
  islandGpus: number | null,
): readonly NodeGpu[] =>
  Array.from({ length: count }, (_, index) => {
    const island = islandGpus === null ? "" : String(Math.floor(index / islandGpus));
    const { type, memoryMib } = gpu;
    return { index, type, memoryMib, island };
  });

/** A node of which only its GPUs are known: of CPUs and memory there is enough for every job. */
export const nodeOfGpus = (
  gpus: number,
  type: string | null = null,
  islandGpus: number | null = null,
): NodeShape => ({
  gpus: gpusLike({ type: type ?? ANY_TYPE, memoryMib: 0 }, gpus, islandGpus),
  // 0 = not accounted for: traces say nothing about CPUs and memory.
  cpuMilli: 0,
  memoryMib: 0,
  labels: {},
});

/**
 * Nodes like one: the same but for the number of GPUs, in islands as large as before, with CPUs and
 * memory in proportion.
 */
export function alike(count: number, like: NodeShape, gpus = like.gpus.length): ClusterShape {
  const before = like.gpus.length;
  const [first] = like.gpus;
  if (gpus === before || first === undefined) return { nodes: many(count, like) };
  const ofIsland = like.gpus.filter(({ island }) => island === first.island).length;
  const part = (amount: number): number => Math.round((amount * gpus) / before);
  const node = {
    ...like,
    gpus: gpusLike(first, gpus, first.island === "" ? null : ofIsland),
    cpuMilli: part(like.cpuMilli),
    memoryMib: part(like.memoryMib),
  };
  return { nodes: many(count, node) };
}

const many = (count: number, node: NodeShape): readonly NodeShape[] =>
  Array.from({ length: count }, () => node);

/**
 * The node with GPUs like which there are most; of as many the one that comes first. Its labels do
 * not count, and are gone: where more such nodes would stand nobody knows.
 */
export function mostCommon({ nodes }: ClusterShape): NodeShape {
  const counts = new Map<string, { readonly node: NodeShape; count: number }>();
  for (const node of nodes) {
    if (node.gpus.length === 0) continue;
    const key = JSON.stringify({ ...node, labels: {} });
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { node: { ...node, labels: {} }, count: 1 });
    else known.count += 1;
  }
  const [first = { node: nodeOfGpus(0), count: 0 }, ...rest] = counts.values();
  return rest.reduce((most, one) => (one.count > most.count ? one : most), first).node;
}

export const gpusOfCluster = ({ nodes }: ClusterShape): number =>
  nodes.reduce((sum, { gpus }) => sum + gpus.length, 0);

/** GPUs of the largest node. */
export const gpusOfNode = ({ nodes }: ClusterShape): number =>
  nodes.reduce((most, { gpus }) => Math.max(most, gpus.length), 0);

/** `64 nodes of 8 GPUs`, `8 nodes of 8 H100, 4 nodes of 4 L40S`. */
export function clusterText({ nodes }: ClusterShape): string {
  const counts = new Map<string, number>();
  for (const { gpus } of nodes) {
    const types = [...new Set(gpus.map(({ type }) => type))].join(" and ");
    const plain = gpus.length === 1 ? "GPU" : "GPUs";
    const key = `of ${gpus.length} ${types === ANY_TYPE || types === "" ? plain : types}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([of, n]) => `${n} ${n === 1 ? "node" : "nodes"} ${of}`).join(", ");
}

/** Named `node-00`, `node-01`, ... */
export function nodeSpecs({ nodes }: ClusterShape): readonly NodeSpec[] {
  const digits = String(nodes.length - 1).length;
  return nodes.map(({ gpus, ...node }, at): NodeSpec => {
    const id = nodeId(`node-${String(at).padStart(digits, "0")}`);
    return {
      id,
      address: id,
      gpus: gpus.map(({ index, ...gpu }) => ({ index, uuid: `${id}-${index}`, ...gpu })),
      ...node,
      agentVersion: "simulated",
    };
  });
}

/** Why not even the empty cluster could hold a job; null = it can. By the scheduler's own rule. */
export function misfitOf(cluster: ClusterShape): (spec: JobSpec) => Hold | null {
  const state = createState();
  for (const spec of nodeSpecs(cluster)) {
    const event = { kind: "node.registered", spec, instance: agentInstanceId(spec.id) } as const;
    apply(state, { seq: state.seq + 1, atMs: 0, actor: "scheduler", request: null, event });
  }
  const pool = poolOf(state.nodes);
  const known = new Map<string, Hold | null>();
  return (spec) => {
    const key = shapeKey(spec);
    const before = known.get(key);
    if (before !== undefined) return before;
    const hold = structuralHold(pool, shapeOf(spec));
    known.set(key, hold);
    return hold;
  };
}
