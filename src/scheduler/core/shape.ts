// What a job asks for, as far as it matters for where it fits: jobs of one shape fit or do not fit
// alike. Also which GPU types answer to it. Knows no nodes.

import type { Resources } from "../../base/resources.ts";
import type { JobSpec, TopologyRequest } from "./job.ts";

/** Levels above the node. */
type DomainLevel = Exclude<TopologyRequest["level"], "island" | "node">;

export interface Shape {
  /** Of the gang at its least: whether it can start, waits or preempts goes by these. */
  readonly nodes: number;
  /** More than `nodes` = it takes more if they are left over. */
  readonly nodesMax: number;
  readonly perNode: Resources;
  readonly gpuTypes: readonly string[];
  readonly mixesGpuTypes: boolean;
  /** Null also where any placement would satisfy it. Never `node`. */
  readonly topology: ShapeTopology | null;
  readonly spot: JobSpec["spot"];
  /** Of the gang at its least. */
  readonly gpus: number;
}

export interface ShapeTopology {
  readonly level: "island" | DomainLevel;
  readonly mode: TopologyRequest["mode"];
}

export function shapeOf(spec: JobSpec): Shape {
  const { nodesMin: nodes, nodes: nodesMax, perNode, gpuTypes, mixesGpuTypes, spot } = spec;
  const rules = { gpuTypes, mixesGpuTypes, topology: topologyOf(spec), spot };
  return { nodes, nodesMax, perNode, ...rules, gpus: nodes * perNode.gpus };
}

/** The job as if it asked for just so many nodes. */
export const sizedTo = (spec: JobSpec, nodes: number): JobSpec => ({
  ...spec,
  nodes,
  nodesMin: nodes,
});

/**
 * A gang of one node is in one rack wherever it is, and a task with one GPU in one island. More
 * nodes never fit on one: who prefers that means the next wider level.
 */
export function topologyOf({ nodesMin, perNode, topology }: JobSpec): ShapeTopology | null {
  if (topology === null) return null;
  const { level, mode } = topology;
  if (level === "island") return perNode.gpus < 2 ? null : { level, mode };
  if (nodesMin === 1) return null;
  return { level: level === "node" ? "rack" : level, mode };
}

/**
 * Does a GPU of `type` satisfy a job that asked for `asked`? Every word asked for must be among the
 * words of the type, in any letter case: `H100` and `h100 80gb` both match `NVIDIA H100 80GB HBM3`.
 * Empty asks for nothing. A MIG slice is a part of a GPU: only who says `MIG` gets one.
 */
export function gpuTypeMatches(asked: string, type: string): boolean {
  const has = new Set(wordsOf(type));
  const wanted = wordsOf(asked);
  if (has.has("mig") && !wanted.includes("mig")) return false;
  return wanted.every((word) => has.has(word));
}

const wordsOf = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter((word) => word !== "");

/** Those of `types` that will do, by alternative, the preferred one first; each type once. */
export function alternatives(
  { gpuTypes }: Pick<JobSpec, "gpuTypes">,
  types: readonly string[],
): readonly (readonly string[])[] {
  const asked = gpuTypes.length === 0 ? [""] : gpuTypes;
  const seen = new Set<string>();
  return asked.map((one) => {
    const matching = types.filter((type) => !seen.has(type) && gpuTypeMatches(one, type));
    for (const type of matching) seen.add(type);
    return matching;
  });
}

/** Would whatever room a gang of `given` has, quota and all, also serve one of `asked`? */
export function wouldServe(given: Shape, asked: Shape): boolean {
  const [has, wants] = [given.perNode, asked.perNode];
  if (given.nodes < asked.nodes || has.gpus < wants.gpus) return false;
  if (has.cpuMilli < wants.cpuMilli || has.memoryMib < wants.memoryMib) return false;
  if (asked.spot === "avoid" && given.spot !== "avoid") return false;
  const isOfType = asked.gpuTypes.length === 0 || String(asked.gpuTypes) === String(given.gpuTypes);
  const [near, level] = [asked.topology, given.topology];
  const isNear =
    near === null ||
    near.mode === "preferred" ||
    (level?.mode === "required" && level.level === near.level);
  return isOfType && isNear;
}

/** Must the GPUs of each task be inside one NVLink island? */
export const needsIsland = ({ topology }: Shape): boolean =>
  topology?.level === "island" && topology.mode === "required";

/** The domain level that the whole gang must stay inside; null = none. */
export function requiredLevel({ topology }: Shape): DomainLevel | null {
  if (topology === null || topology.mode === "preferred" || topology.level === "island")
    return null;
  return topology.level;
}

/** The same text for the same shape, and for no other: everything that `shapeOf` reads is in it. */
export function shapeKey(spec: JobSpec): string {
  const { nodes, nodesMin, perNode, gpuTypes, mixesGpuTypes, spot } = spec;
  const { gpus, cpuMilli, memoryMib } = perNode;
  const types = gpuTypes.length === 0 ? "" : JSON.stringify(gpuTypes);
  const how = `${mixesGpuTypes ? "mixed" : "alike"} ${types}`;
  const topology = topologyOf(spec);
  const where = topology === null ? "" : `${topology.mode} ${topology.level}`;
  return `${nodesMin}-${nodes}|${gpus}|${cpuMilli}|${memoryMib}|${spot}|${where}|${how}`;
}
