// What a job asks for, as far as it matters for where it fits: jobs of one shape fit or do not fit
// alike. Also which GPUs, islands and nodes answer to it, whatever runs there.

import type { Resources } from "../../base/resources.ts";
import type { Bank, NodeSlot } from "./fit.ts";
import type { JobSpec, TopologyRequest } from "./job.ts";
import type { DomainLevel } from "./topology.ts";

export interface Shape {
  readonly nodes: number;
  readonly perNode: Resources;
  readonly gpuTypes: readonly string[];
  readonly mixesGpuTypes: boolean;
  /** Null also where any placement would satisfy it. Never `node`. */
  readonly topology: ShapeTopology | null;
  readonly spot: JobSpec["spot"];
  /** Of the whole gang. */
  readonly gpus: number;
}

export interface ShapeTopology {
  readonly level: "island" | DomainLevel;
  readonly mode: TopologyRequest["mode"];
}

export function shapeOf(spec: JobSpec): Shape {
  const { nodes, perNode, gpuTypes, mixesGpuTypes, spot } = spec;
  const topology = topologyOf(spec);
  return { nodes, perNode, gpuTypes, mixesGpuTypes, topology, spot, gpus: nodes * perNode.gpus };
}

/**
 * A gang of one node is in one rack wherever it is, and a task with one GPU in one island. More
 * nodes never fit on one: who prefers that means the next wider level.
 */
export function topologyOf({ nodes, perNode, topology }: JobSpec): ShapeTopology | null {
  if (topology === null) return null;
  const { level, mode } = topology;
  if (level === "island") return perNode.gpus < 2 ? null : { level, mode };
  if (nodes === 1) return null;
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

/** Must the GPUs of each task be inside one NVLink island? */
export const needsIsland = ({ topology }: Shape): boolean =>
  topology?.level === "island" && topology.mode === "required";

/** The domain level that the whole gang must stay inside; null = none. */
export function requiredLevel({ topology }: Shape): DomainLevel | null {
  if (topology === null || topology.mode === "preferred" || topology.level === "island")
    return null;
  return topology.level;
}

export const isSpotBarred = (slot: NodeSlot, { spot }: Shape): boolean =>
  spot === "avoid" && slot.isSpot;

/** GPUs of `among` in the island that has most of them. */
export function islandMax({ islands }: Bank, among: readonly number[]): number {
  const sizes = new Map<string, number>();
  let most = 0;
  for (const gpu of among) {
    const island = islands.get(gpu);
    if (island === undefined) continue;
    const size = (sizes.get(island) ?? 0) + 1;
    sizes.set(island, size);
    most = Math.max(most, size);
  }
  return most;
}

/** Could the node hold one task of the shape, on GPUs of these types, if nothing else ran there? */
export function isLargeEnough(slot: NodeSlot, shape: Shape, types: readonly string[]): boolean {
  const { gpus, cpuMilli, memoryMib } = shape.perNode;
  const { spec, banks } = slot;
  if (isSpotBarred(slot, shape)) return false;
  if (spec.cpuMilli !== 0 && cpuMilli > spec.cpuMilli) return false;
  if (spec.memoryMib !== 0 && memoryMib > spec.memoryMib) return false;
  if (gpus === 0) return true;
  return banks.some((bank) => {
    if (!types.includes(bank.type) || bank.indexes.length < gpus) return false;
    return !needsIsland(shape) || islandMax(bank, bank.indexes) >= gpus;
  });
}
