// What is free on the nodes in one run of a forecast: how many GPUs, not which, so that ten thousand
// starts cost milliseconds where the planner's pool (fit.ts) would take a second. Keeps to GPU types,
// required racks and blocks, spot nodes, CPUs and memory; islands, and what is merely preferred, are
// left to the planner. Knows no jobs and no time.

import { must } from "../../base/assert.ts";
import { FirstFew } from "../../base/first-few.ts";
import { NEVER_MS } from "../../base/time.ts";
import { hasHostRoom, type NodePool } from "./fit.ts";
import { FreeIndex } from "./free-index.ts";
import type { TaskPlacement } from "./job.ts";
import { requiredLevel, type Shape } from "./shape.ts";
import { typeSets } from "./sites.ts";

/** Where a task is: positions of its node, and of its GPU type; -1 = it has no GPU. */
export interface Seat {
  readonly node: number;
  readonly type: number;
}

/** What a shape asks for, looked up once. */
export interface Need {
  readonly shape: Shape;
  /** Positions of the types of which a gang may be made, the preferred set first. */
  readonly typeSets: readonly (readonly number[])[];
  /** By node, the position of its domain of the level that is required; null = any node will do. */
  readonly domainOf: Int32Array | null;
  readonly domainCount: number;
}

/** What is the same in all runs. */
export class SupplyLayout {
  readonly types: readonly string[];
  readonly nodes: number;
  readonly pool: NodePool;
  /** By type, by node: GPUs that there are; 0 on nodes that are not offered. */
  readonly capacity: readonly Int32Array[];

  /** The pool is read for as long as this is used; nobody may take from it. */
  constructor(pool: NodePool) {
    this.pool = pool;
    this.types = pool.types;
    this.nodes = pool.slots.length;
    this.capacity = this.types.map(() => new Int32Array(this.nodes));
    for (const { order, isOffered, banks } of pool.slots) {
      if (!isOffered) continue;
      for (const { type, indexes } of banks) this.#capacityOf(type)[order] = indexes.length;
    }
  }

  needOf(shape: Shape): Need {
    const { pool, types } = this;
    const sets = typeSets(shape, types).map((set) => set.map((type) => types.indexOf(type)));
    const level = requiredLevel(shape);
    if (level === null) return { shape, typeSets: sets, domainOf: null, domainCount: 1 };
    const domainOf = Int32Array.from(pool.slots, ({ domains }) => domains[level]?.at ?? -1);
    return { shape, typeSets: sets, domainOf, domainCount: pool.domains(level).length };
  }

  /** Null on a node that is gone, or not offered: what is there is nobody's for now. */
  seatOf({ nodeId, gpus }: TaskPlacement): Seat | null {
    const slot = this.pool.slot(nodeId);
    if (slot === undefined || !slot.isOffered) return null;
    const bank = slot.banks.find(({ indexes }) => gpus.some((gpu) => indexes.includes(gpu)));
    return { node: slot.order, type: bank === undefined ? -1 : this.types.indexOf(bank.type) };
  }

  #capacityOf(type: string): Int32Array {
    return must(this.capacity[this.types.indexOf(type)], type);
  }
}

/** GPUs of one type. */
interface Bank {
  /** Nodes by what is free, without those that are kept. */
  readonly index: FreeIndex;
  /** By node. Below 0 where something is promised that is not free yet. */
  readonly free: Int32Array;
  /** By node: 1 = only who keeps it may take from it. */
  readonly kept: Uint8Array;
}

export class Supply {
  readonly #layout: SupplyLayout;
  readonly #banks: readonly Bank[];
  readonly #cpuMilli: Float64Array;
  readonly #memoryMib: Float64Array;

  /** Of a layout: as its pool has it. Of another supply: a copy. */
  constructor(from: SupplyLayout | Supply) {
    if (from instanceof Supply) {
      this.#layout = from.#layout;
      this.#banks = from.#banks.map(({ index, free, kept }) => {
        return { index: new FreeIndex(index), free: free.slice(), kept: kept.slice() };
      });
      this.#cpuMilli = from.#cpuMilli.slice();
      this.#memoryMib = from.#memoryMib.slice();
      return;
    }
    const { types, pool, nodes } = from;
    this.#layout = from;
    this.#banks = types.map(() => {
      return {
        index: new FreeIndex(nodes),
        free: new Int32Array(nodes),
        kept: new Uint8Array(nodes),
      };
    });
    this.#cpuMilli = Float64Array.from(pool.slots, ({ freeCpuMilli }) => freeCpuMilli);
    this.#memoryMib = Float64Array.from(pool.slots, ({ freeMemoryMib }) => freeMemoryMib);
    for (const { order, isOffered, banks } of pool.slots) {
      if (!isOffered) continue;
      for (const { type, free } of banks) {
        const bank = this.#bank(types.indexOf(type));
        bank.free[order] = free.length;
        bank.index.add(order, free.length);
      }
    }
  }

  /** Takes room for a gang, best fit first; null = there is none, and nothing is changed. */
  take(need: Need): readonly Seat[] | null {
    const { shape, domainOf, domainCount } = need;
    for (const set of need.typeSets) {
      for (let domain = 0; domain < domainCount; domain += 1) {
        const isNear = (node: number): boolean => domainOf === null || domainOf[node] === domain;
        const seats =
          shape.perNode.gpus === 0
            ? this.#withoutGpus(shape, isNear)
            : this.#bestFit(shape, set, isNear);
        if (seats === null) continue;
        this.change(seats, shape, -1);
        return seats;
      }
    }
    return null;
  }

  /** A gang comes (-1) or goes (1), be it that what it takes is not free yet. */
  change(seats: readonly Seat[], { perNode }: Pick<Shape, "perNode">, sign: 1 | -1): void {
    const { gpus, cpuMilli, memoryMib } = perNode;
    for (const { node, type } of seats) {
      this.#cpuMilli[node] = (this.#cpuMilli[node] ?? 0) + sign * cpuMilli;
      this.#memoryMib[node] = (this.#memoryMib[node] ?? 0) + sign * memoryMib;
      if (type < 0) continue;
      const { index, free, kept } = this.#bank(type);
      const before = free[node] ?? 0;
      const after = before + sign * gpus;
      free[node] = after;
      if (kept[node] === 1) continue;
      index.remove(node, Math.max(0, before));
      index.add(node, Math.max(0, after));
    }
  }

  /** Is all free that one keeps there, as far as GPUs go? */
  isReady(seats: readonly Seat[], { perNode }: Shape): boolean {
    return seats.every(
      ({ node, type }) => type < 0 || (this.#bank(type).free[node] ?? 0) >= perNode.gpus,
    );
  }

  /**
   * Keeps, for a gang with GPUs, nodes that will have room soonest; null = too few ever will.
   * `wholeAtMs` = by type, by node, when all that is there has ended, or `NEVER_MS`.
   */
  keep(need: Need, nowMs: number, wholeAtMs: readonly Float64Array[]): readonly Seat[] | null {
    let best: Soonest | null = null;
    for (const set of need.typeSets) {
      for (let domain = 0; domain < need.domainCount; domain += 1) {
        const found = new FirstFew(need.shape.nodes, compareOffers);
        for (const type of set) this.#offer(found, { need, type, domain }, nowMs, wholeAtMs);
        if (lastOf(found) < (best === null ? NEVER_MS : lastOf(best))) best = found;
      }
    }
    for (const { node, type } of best?.items ?? []) {
      const { index, free, kept } = this.#bank(type);
      kept[node] = 1;
      index.remove(node, Math.max(0, free[node] ?? 0));
    }
    return best?.items ?? null;
  }

  /** Of what `keep` returned. */
  unkeep(seats: readonly Seat[]): void {
    for (const { node, type } of seats) {
      const { index, free, kept } = this.#bank(type);
      kept[node] = 0;
      index.add(node, Math.max(0, free[node] ?? 0));
    }
  }

  #offer(
    found: Soonest,
    { need, type, domain }: { readonly need: Need; readonly type: number; readonly domain: number },
    nowMs: number,
    wholeAtMs: readonly Float64Array[],
  ): void {
    const { shape, domainOf } = need;
    const { gpus } = shape.perNode;
    const { free, kept } = this.#bank(type);
    const capacity = must(this.#layout.capacity[type], "capacity");
    const whole = must(wholeAtMs[type], "when whole");
    for (let node = 0; node < capacity.length; node += 1) {
      if ((capacity[node] ?? 0) < gpus || kept[node] === 1) continue;
      const readyMs = (free[node] ?? 0) >= gpus ? nowMs : (whole[node] ?? nowMs);
      if (readyMs >= lastOf(found) || (domainOf !== null && domainOf[node] !== domain)) continue;
      if (!this.#isBarred(node, shape)) found.add({ node, type, readyMs });
    }
  }

  #bestFit(
    shape: Shape,
    set: readonly number[],
    isNear: (node: number) => boolean,
  ): readonly Seat[] | null {
    const { nodes, perNode } = shape;
    const banks = set.map((type) => ({ type, index: this.#bank(type).index }));
    const enough = banks.reduce((sum, { index }) => sum + index.countFrom(perNode.gpus), 0);
    if (enough < nodes) return null;
    const seats = new Map<number, Seat>();
    const levelMax = banks.reduce((most, { index }) => Math.max(most, index.levelMax), 0);
    for (let free = perNode.gpus; free <= levelMax; free += 1) {
      for (const { type, index } of banks) {
        index.scan(free, (node) => {
          if (isNear(node) && this.#hasHostRoom(node, shape) && !seats.has(node)) {
            seats.set(node, { node, type });
          }
          return seats.size < nodes;
        });
        if (seats.size === nodes) return [...seats.values()];
      }
    }
    return null;
  }

  #withoutGpus(shape: Shape, isNear: (node: number) => boolean): readonly Seat[] | null {
    const seats: Seat[] = [];
    for (let node = 0; node < this.#layout.nodes && seats.length < shape.nodes; node += 1) {
      const isOffered = this.#layout.pool.slotAt(node).isOffered;
      if (isOffered && isNear(node) && this.#hasHostRoom(node, shape)) {
        seats.push({ node, type: -1 });
      }
    }
    return seats.length === shape.nodes ? seats : null;
  }

  #hasHostRoom(node: number, shape: Shape): boolean {
    const freeCpuMilli = this.#cpuMilli[node] ?? 0;
    const freeMemoryMib = this.#memoryMib[node] ?? 0;
    return (
      hasHostRoom({ freeCpuMilli, freeMemoryMib }, shape.perNode) && !this.#isBarred(node, shape)
    );
  }

  #isBarred(node: number, { spot }: Shape): boolean {
    return spot === "avoid" && this.#layout.pool.slotAt(node).isSpot;
  }

  #bank(type: number): Bank {
    return must(this.#banks[type], "GPU type");
  }
}

/** A seat that could be kept. */
interface Offer extends Seat {
  readonly readyMs: number;
}

/** As many as a gang needs, those that are ready first. */
type Soonest = FirstFew<Offer>;

const compareOffers = (a: Offer, b: Offer): number => a.readyMs - b.readyMs;

/** When the last of them is ready; `NEVER_MS` = there are too few. */
const lastOf = ({ last }: Soonest): number => last?.readyMs ?? NEVER_MS;
