// Where and when a gang will fit, as far as is known: for each node the instant at which it is
// expected to have room for a task, and the nodes that have it soonest. Decides nothing.

import { FirstFew } from "../../base/first-few.ts";
import type { NodeId } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import { NEVER_MS } from "../../base/time.ts";
import type { Ends } from "./ends.ts";
import { type Bank, hasHostRoom, type NodeSlot } from "./fit.ts";
import type { Pass } from "./pass.ts";
import { needsIsland, type Shape } from "./shape.ts";
import { SiteTable } from "./sites.ts";
import { isLargeEnough } from "./suitable.ts";

/** GPUs of one node, as they are in `later`, that could serve a task of the gang some day. */
export interface Seat {
  readonly slot: NodeSlot;
  readonly bank: Bank;
  /** When it is expected to have room; `NEVER_MS` = nobody knows. */
  readonly readyMs: number;
  /** GPUs of it that come free without anybody being asked. */
  readonly useful: number;
  /** GPUs of it that are open now. */
  readonly usefulNow: number;
}

/** A seat, or that there is none, and the slots from which that was worked out. */
interface Known {
  readonly later: NodeSlot;
  readonly open: NodeSlot;
  readonly seat: Seat | null;
}

/** That fewer than so many GPUs of a node come free for a gang before then. */
interface Held {
  readonly slot: NodeSlot;
  readonly gpus: number;
  readonly untilMs: number;
}

/** What a job gives back of its node's CPU and memory, and when. */
interface HostEnd {
  readonly endMs: number;
  readonly resources: Resources;
}

/** For one instant. Slots and banks are other objects as soon as anything of them has changed. */
export class Seats {
  readonly #pass: Pass;
  readonly #ends: Ends;
  readonly #owedOn: (node: NodeId) => number;
  /** By what a task asks for (`taskKey`): by node. */
  readonly #known = new Map<string, Known[]>();
  /** By node, what was found out last. */
  readonly #held = new Map<number, Held>();
  readonly #freeTimes = new WeakMap<Bank, readonly number[]>();
  readonly #hostEnds = new WeakMap<NodeSlot, readonly HostEnd[]>();

  /**
   * `owedOn`: GPUs that come free on the node for those who were promised them. May only change
   * together with what `later` has of the node.
   */
  constructor(pass: Pass, ends: Ends, owedOn: (node: NodeId) => number) {
    this.#pass = pass;
    this.#ends = ends;
    this.#owedOn = owedOn;
  }

  /**
   * As many as the gang has tasks, all on one site of its shape: that where the last of them is
   * ready first, then that which needs the fewest GPUs more; on it, the seats that are and do. Null
   * where too few nodes could ever serve it beside what others keep.
   */
  soonest(shape: Shape): readonly Seat[] | null {
    const { later } = this.#pass;
    const table = new SiteTable(later, shape);
    const bySite = Array.from(
      { length: table.count },
      () => new FirstFew(shape.nodes, compareSeats),
    );
    table.typeSets.forEach((types, typeSet) => {
      const known = this.#knownOf(taskKey(shape, types));
      for (const slot of later.slots) {
        const first = slot.isOffered ? bySite[table.siteOf(slot, typeSet)] : undefined;
        if (first === undefined) continue;
        if (this.#isHeldBeyond(slot, shape, first.last?.readyMs ?? NEVER_MS)) continue;
        const seat = this.#seatOn(slot, shape, types, known);
        if (seat !== null) first.add(seat);
      }
    });
    let best: readonly Seat[] | null = null;
    for (const { items: seats } of bySite) {
      if (seats.length < shape.nodes) continue;
      if (best === null || compareSites(seats, best) < 0) best = seats;
    }
    return best;
  }

  #knownOf(key: string): Known[] {
    let known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, (known = []));
    return known;
  }

  #seatOn(slot: NodeSlot, shape: Shape, types: readonly string[], byNode: Known[]): Seat | null {
    const open = this.#pass.open.slotAt(slot.order);
    const known = byNode[slot.order];
    if (known !== undefined && known.later === slot && known.open === open) return known.seat;
    const seat = this.#findSeat(slot, open, shape, types);
    byNode[slot.order] = { later: slot, open, seat };
    return seat;
  }

  /** Are so many GPUs of the node held until after that instant that the others are too few? */
  #isHeldBeyond(slot: NodeSlot, { perNode }: Shape, atMs: number): boolean {
    if (atMs === NEVER_MS) return false;
    const known = this.#held.get(slot.order);
    const isAsKnown = known?.slot === slot && perNode.gpus >= known.gpus;
    if (isAsKnown && atMs < known.untilMs) return true;
    let left = slot.spec.gpus.length - perNode.gpus - this.#owedOn(slot.id);
    let untilMs = NEVER_MS;
    for (const { jobId, gpus } of this.#ends.on(slot.id)) {
      const endMs = this.#ends.of(jobId);
      if (endMs <= atMs) continue;
      left -= gpus.length;
      untilMs = Math.min(untilMs, endMs);
      if (left >= 0) continue;
      this.#held.set(slot.order, { slot, gpus: perNode.gpus, untilMs });
      return true;
    }
    return false;
  }

  /** Null where there would be none beside what others keep on the node. */
  #findSeat(slot: NodeSlot, open: NodeSlot, shape: Shape, types: readonly string[]): Seat | null {
    if (!isLargeEnough(slot, shape, types)) return null;
    const { gpus } = shape.perNode;
    let kept = 0;
    for (const keeper of this.#pass.keptOn(slot.id)) kept += keeper.gpus;
    const at = slot.banks.findIndex(
      ({ type, indexes }) => indexes.length - kept >= gpus && types.includes(type),
    );
    const bank = slot.banks[at];
    if (bank === undefined) return null;
    const useful = Math.min(bank.free.length, gpus);
    const usefulNow = Math.min(open.banks[at]?.free.length ?? 0, gpus);
    const readyMs = Math.max(this.#readyAt(slot, bank, shape), this.#hostReadyAt(slot, shape));
    return { slot, bank, readyMs, useful, usefulNow };
  }

  /** When the bank is expected to have GPUs enough, beside what earlier claims still wait for. */
  #readyAt(slot: NodeSlot, bank: Bank, shape: Shape): number {
    const last = shape.perNode.gpus + this.#owedOn(slot.id) - 1;
    if (!needsIsland(shape)) return this.#freeTimesOf(slot, bank)[last] ?? NEVER_MS;
    let soonest = NEVER_MS;
    for (const name of new Set(bank.islands.values())) {
      const times = this.#listFreeTimes(slot, bank, (gpu) => bank.islands.get(gpu) === name);
      soonest = Math.min(soonest, times[last] ?? NEVER_MS);
    }
    return soonest;
  }

  /** When its CPU and memory are expected to suffice. */
  #hostReadyAt(slot: NodeSlot, { perNode }: Shape): number {
    let { freeCpuMilli, freeMemoryMib } = slot;
    if (hasHostRoom({ freeCpuMilli, freeMemoryMib }, perNode)) return this.#pass.nowMs;
    for (const { endMs, resources } of this.#hostEndsOn(slot)) {
      freeCpuMilli += resources.cpuMilli;
      freeMemoryMib += resources.memoryMib;
      if (hasHostRoom({ freeCpuMilli, freeMemoryMib }, perNode)) return endMs;
    }
    return NEVER_MS;
  }

  /** Of those who run there and were not asked to leave, the first end first. */
  #hostEndsOn(slot: NodeSlot): readonly HostEnd[] {
    let ends = this.#hostEnds.get(slot);
    if (ends === undefined) {
      const running = this.#ends.on(slot.id).filter(({ jobId }) => !this.#pass.isLeaving(jobId));
      ends = running
        .map(({ jobId, resources }) => ({ endMs: this.#ends.of(jobId), resources }))
        .sort((a, b) => compareTimes(a.endMs, b.endMs));
      this.#hostEnds.set(slot, ends);
    }
    return ends;
  }

  /** When GPUs of a bank come free, the first one first; not those that are promised to others. */
  #freeTimesOf(slot: NodeSlot, bank: Bank): readonly number[] {
    let times = this.#freeTimes.get(bank);
    if (times === undefined) {
      times = this.#listFreeTimes(slot, bank, () => true);
      this.#freeTimes.set(bank, times);
    }
    return times;
  }

  #listFreeTimes(
    { id, order }: NodeSlot,
    { type, indexes, free }: Bank,
    isCounted: (gpu: number) => boolean,
  ): readonly number[] {
    const { raw, nowMs } = this.#pass;
    const freeNow = raw.bankAt(order, type).free;
    const times: number[] = [];
    for (const gpu of free) if (freeNow.includes(gpu) && isCounted(gpu)) times.push(nowMs);
    for (const { jobId, gpus } of this.#ends.on(id)) {
      const isLeaving = this.#pass.isLeaving(jobId);
      const endMs = this.#ends.of(jobId);
      for (const gpu of gpus) {
        // What one leaves for a reservation is nobody else's.
        const isComing = indexes.includes(gpu) && isLeaving === free.includes(gpu);
        if (isComing && isCounted(gpu)) times.push(endMs);
      }
    }
    return times.sort(compareTimes);
  }
}

/** Of gangs whose tasks are alike, a seat of one is a seat of the other. */
function taskKey(shape: Shape, types: readonly string[]): string {
  const { gpus, cpuMilli, memoryMib } = shape.perNode;
  return JSON.stringify([gpus, cpuMilli, memoryMib, needsIsland(shape), shape.spot, types]);
}

const compareTimes = (a: number, b: number): number => (a === b ? 0 : a - b);

/** When the last of them is ready. */
export const lastOf = (seats: readonly Seat[]): number =>
  seats.reduce((last, { readyMs }) => Math.max(last, readyMs), 0);

const usefulOf = (seats: readonly Seat[]): number =>
  seats.reduce((sum, { useful }) => sum + useful, 0);

const compareSites = (a: readonly Seat[], b: readonly Seat[]): number =>
  compareTimes(lastOf(a), lastOf(b)) || usefulOf(b) - usefulOf(a);

const compareSeats = (a: Seat, b: Seat): number =>
  compareTimes(a.readyMs, b.readyMs) ||
  b.useful - a.useful ||
  b.usefulNow - a.usefulNow ||
  a.slot.order - b.slot.order;
