// Choosing nodes for a gang: whole or not at all, on the nodes that it leaves the fewest idle GPUs
// on. What may be taken is the pool's business, who comes first is the plan's.

import type { NodeId } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import { type Bank, type FreeIndex, hasHostRoom, type NodePool, type NodeSlot } from "./fit.ts";
import type { JobSpec, TaskPlacement } from "./job.ts";

/** What matters of a job for where it fits. Jobs of one shape fit or do not fit alike. */
export interface Shape {
  readonly nodes: number;
  readonly perNode: Resources;
  readonly gpuType: string;
  /** Of the whole gang. */
  readonly gpus: number;
}

export function shapeOf(spec: JobSpec): Shape {
  const { nodes, perNode, gpuType } = spec;
  return { nodes, perNode, gpuType, gpus: nodes * perNode.gpus };
}

/**
 * Does a GPU of `type` satisfy a job that asked for `asked`? Every word asked for must be among the
 * words of the type, in any letter case: `H100` and `h100 80gb` both match `NVIDIA H100 80GB HBM3`.
 * Empty asks for nothing.
 */
export function gpuTypeMatches(asked: string, type: string): boolean {
  if (asked === "" || asked === type) return true;
  const words = new Set(wordsOf(type));
  return wordsOf(asked).every((word) => words.has(word));
}

const wordsOf = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter((word) => word !== "");

/** Could the node hold one task of the shape if nothing else ran there? */
export function isLargeEnough({ spec, banks }: NodeSlot, shape: Shape): boolean {
  const { gpus, cpuMilli, memoryMib } = shape.perNode;
  if (spec.cpuMilli !== 0 && cpuMilli > spec.cpuMilli) return false;
  if (spec.memoryMib !== 0 && memoryMib > spec.memoryMib) return false;
  if (gpus === 0) return true;
  return banks.some(
    ({ type, indexes }) => indexes.length >= gpus && gpuTypeMatches(shape.gpuType, type),
  );
}

/** Nodes that could take one task of the shape with what the pool has free. */
export function countFitting(pool: NodePool, shape: Shape): number {
  const { gpus } = shape.perNode;
  const types = pool.types.filter((type) => gpuTypeMatches(shape.gpuType, type));
  const indexes = gpus === 0 ? [pool.nodesByFree] : types.map((type) => pool.indexOf(type));
  const fitting = new Set<number>();
  for (const index of indexes) {
    for (let free = gpus; free <= index.levelMax; free += 1) {
      index.scan(free, (order) => {
        if (hasHostRoom(pool.slotAt(order), shape.perNode)) fitting.add(order);
        return true;
      });
    }
  }
  return fitting.size;
}

/**
 * A placement of the whole gang on what the pool has free, or null. Best fit: nodes with the fewest
 * free GPUs that suffice, lower ids first, so that whole nodes stay whole. One GPU type for the
 * whole gang where that is possible. `avoid` is only used as a last resort. Ranks follow the node
 * ids; each task gets the lowest free GPU indexes. CPU and memory must suffice in `pool`, and in
 * `beside` too: what is free now, and what is left of it once reservations have come true.
 */
export function fitGang(
  pool: NodePool,
  shape: Shape,
  avoid: readonly NodeId[],
  beside: NodePool = pool,
): readonly TaskPlacement[] | null {
  const place: Place = { pool, beside, shape, avoid };
  const picks = shape.perNode.gpus === 0 ? pickFrom(place, [hostSource(pool)]) : pickGpus(place);
  if (picks === null) return null;
  const ordered = [...picks].sort((a, b) => a.slot.order - b.slot.order);
  return ordered.map(({ slot, bank }) => ({
    nodeId: slot.id,
    gpus: bank === null ? [] : bank.free.slice(0, shape.perNode.gpus),
  }));
}

/** Where to look and for what. */
interface Place {
  readonly pool: NodePool;
  readonly beside: NodePool;
  readonly shape: Shape;
  readonly avoid: readonly NodeId[];
}

interface Pick {
  readonly slot: NodeSlot;
  /** Null when the task needs no GPU. */
  readonly bank: Bank | null;
  /** Idle GPUs left beside it. */
  readonly rest: number;
}

interface Source {
  readonly index: FreeIndex;
  pick(order: number): Pick;
}

function hostSource(pool: NodePool): Source {
  const pick = (order: number): Pick => ({ slot: pool.slotAt(order), bank: null, rest: 0 });
  return { index: pool.nodesByFree, pick };
}

function bankSource(pool: NodePool, type: string, gpus: number): Source {
  const pick = (order: number): Pick => {
    const bank = pool.bankAt(order, type);
    return { slot: bank.slot, bank, rest: bank.free.length - gpus };
  };
  return { index: pool.indexOf(type), pick };
}

function pickGpus(place: Place): readonly Pick[] | null {
  const { pool, shape } = place;
  const types = pool.types.filter((type) => gpuTypeMatches(shape.gpuType, type));
  const sources = types.map((type) => bankSource(pool, type, shape.perNode.gpus));
  let best: readonly Pick[] | null = null;
  for (const source of sources) {
    const picks = pickFrom(place, [source]);
    if (picks !== null && (best === null || restOf(picks) < restOf(best))) best = picks;
  }
  if (best !== null || sources.length < 2) return best;
  return pickFrom(place, sources);
}

const restOf = (picks: readonly Pick[]): number => picks.reduce((sum, { rest }) => sum + rest, 0);

function pickFrom(place: Place, sources: readonly Source[]): readonly Pick[] | null {
  const { pool, beside, shape, avoid } = place;
  const { gpus } = shape.perNode;
  const enough = sources.reduce((sum, { index }) => sum + index.countFrom(gpus), 0);
  if (enough < shape.nodes) return null;
  const picked = new Map<number, Pick>();
  const collect = (isWanted: (slot: NodeSlot) => boolean): boolean => {
    const levelMax = Math.max(...sources.map(({ index }) => index.levelMax));
    for (let free = gpus; free <= levelMax; free += 1) {
      for (const source of sources) {
        const goOn = source.index.scan(free, (order) => {
          const slot = pool.slotAt(order);
          const isRoom =
            hasHostRoom(slot, shape.perNode) && hasHostRoom(beside.slotAt(order), shape.perNode);
          if (!isRoom || picked.has(order) || !isWanted(slot)) return true;
          picked.set(order, source.pick(order));
          return picked.size < shape.nodes;
        });
        if (!goOn) return true;
      }
    }
    return false;
  };
  const isComplete =
    collect((slot) => !avoid.includes(slot.id)) || (avoid.length > 0 && collect(() => true));
  return isComplete ? [...picked.values()] : null;
}
