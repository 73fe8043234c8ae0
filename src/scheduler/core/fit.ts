// What is free on each node, indexed for best fit: nodes by GPU type and by how many of those GPUs
// are free. A pool belongs to one planning pass, which takes from it and gives back. Knows no jobs.

import { assert, must } from "../../base/assert.ts";
import { compareText, type NodeId } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import type { TaskPlacement } from "./job.ts";
import type { Node, NodeSpec } from "./state.ts";

/** GPUs of one type on one node. A task's GPUs all come from one bank. */
export interface Bank {
  readonly slot: NodeSlot;
  readonly type: string;
  /** Ascending. */
  readonly indexes: readonly number[];
  /** Ascending. */
  free: readonly number[];
}

export interface NodeSlot {
  readonly id: NodeId;
  readonly spec: NodeSpec;
  /** Position among all nodes by id. */
  readonly order: number;
  /** Up and open: only then does the pool offer it. */
  readonly isOffered: boolean;
  readonly banks: readonly Bank[];
  freeGpus: number;
  /** May go below 0 where something is kept that is not free yet. Infinity = not accounted. */
  freeCpuMilli: number;
  freeMemoryMib: number;
}

export interface NodeKind {
  readonly slot: NodeSlot;
  count: number;
}

/** What one task takes from its node. */
export interface TaskNeed {
  readonly gpus: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

export function isSchedulable(node: Node): boolean {
  return node.health === "up" && node.schedulability === "open";
}

/** CPU and memory only count where both the job and the node state them. */
export function hasHostRoom(slot: NodeSlot, need: TaskNeed): boolean {
  return (
    (need.cpuMilli === 0 || need.cpuMilli <= slot.freeCpuMilli) &&
    (need.memoryMib === 0 || need.memoryMib <= slot.freeMemoryMib)
  );
}

/** A set of node orders for each number of free GPUs: walked in order, changed in O(1). */
export class FreeIndex {
  readonly #words: number;
  readonly #levels: { readonly bits: Uint32Array; count: number }[] = [];

  constructor(nodeCount: number) {
    this.#words = Math.ceil(nodeCount / 32);
  }

  get levelMax(): number {
    return this.#levels.length - 1;
  }

  add(order: number, free: number): void {
    while (this.#levels.length <= free) {
      this.#levels.push({ bits: new Uint32Array(this.#words), count: 0 });
    }
    const level = must(this.#levels[free], "level");
    level.bits[order >>> 5] = (level.bits[order >>> 5] ?? 0) | (1 << (order & 31));
    level.count += 1;
  }

  remove(order: number, free: number): void {
    const level = must(this.#levels[free], "level");
    level.bits[order >>> 5] = (level.bits[order >>> 5] ?? 0) & ~(1 << (order & 31));
    level.count -= 1;
  }

  /** GPUs free on all nodes. */
  get freeTotal(): number {
    return this.#levels.reduce((sum, { count }, free) => sum + count * free, 0);
  }

  /** Nodes with at least that many free. */
  countFrom(free: number): number {
    let count = 0;
    for (let at = free; at < this.#levels.length; at += 1) count += this.#levels[at]?.count ?? 0;
    return count;
  }

  /** Visits the nodes with exactly that many free, in order, until `visit` answers false. */
  scan(free: number, visit: (order: number) => boolean): boolean {
    const level = this.#levels[free];
    if (level === undefined || level.count === 0) return true;
    for (let word = 0; word < level.bits.length; word += 1) {
      let bits = level.bits[word] ?? 0;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        if (!visit(word * 32 + bit)) return false;
      }
    }
    return true;
  }
}

export class NodePool {
  /** All nodes by id, offered or not. */
  readonly slots: readonly NodeSlot[];
  /** Types that offered nodes have, in order of their names. */
  readonly types: readonly string[];
  readonly #byId = new Map<NodeId, NodeSlot>();
  readonly #byType = new Map<string, FreeIndex>();
  /** By free GPUs of any type: for tasks that need none. */
  readonly #all: FreeIndex;

  /** Of nodes: with every allocation taken. Of another pool: a copy of it, which costs far less. */
  constructor(from: readonly Node[] | NodePool) {
    this.slots = from instanceof NodePool ? from.slots.map(copySlot) : slotsOf(from);
    this.#all = new FreeIndex(this.slots.length);
    for (const slot of this.slots) {
      this.#byId.set(slot.id, slot);
      if (slot.isOffered) this.#list(slot);
    }
    this.types = [...this.#byType.keys()].sort(compareText);
  }

  slot(id: NodeId): NodeSlot | undefined {
    return this.#byId.get(id);
  }

  indexOf(type: string): FreeIndex {
    return must(this.#byType.get(type), `GPU type ${type}`);
  }

  /** Nodes of the same size, offered or not: one of them, and how many there are. */
  kinds(): readonly NodeKind[] {
    const kinds = new Map<string, NodeKind>();
    for (const slot of this.slots) {
      const { cpuMilli, memoryMib } = slot.spec;
      const banks = slot.banks.map(({ type, indexes }) => `${type}*${indexes.length}`);
      const key = `${cpuMilli}|${memoryMib}|${banks.join("|")}`;
      const kind = kinds.get(key);
      if (kind === undefined) kinds.set(key, { slot, count: 1 });
      else kind.count += 1;
    }
    return [...kinds.values()];
  }

  get nodesByFree(): FreeIndex {
    return this.#all;
  }

  slotAt(order: number): NodeSlot {
    return must(this.slots[order], `node ${order}`);
  }

  bankAt(order: number, type: string): Bank {
    const banks = this.slotAt(order).banks;
    return must(
      banks.find((bank) => bank.type === type),
      `bank of ${type}`,
    );
  }

  /**
   * Takes those of the task's GPUs that are free, and its CPU and memory. Returns the GPUs taken.
   */
  take(task: TaskPlacement, resources: Resources): readonly number[] {
    const slot = this.#byId.get(task.nodeId);
    if (slot === undefined) return [];
    changeHost(slot, resources, -1);
    return this.#move(slot, task.gpus, takeFrom);
  }

  /** Gives GPUs, CPU and memory back. */
  give(task: TaskPlacement, resources: Resources): void {
    const slot = this.#byId.get(task.nodeId);
    if (slot === undefined) return;
    changeHost(slot, resources, 1);
    this.#move(slot, task.gpus, giveTo);
  }

  #move(
    slot: NodeSlot,
    gpus: readonly number[],
    change: (bank: Bank, gpus: readonly number[]) => readonly number[],
  ): readonly number[] {
    if (gpus.length === 0) return gpus;
    const moved: number[] = [];
    const freeBefore = slot.freeGpus;
    for (const bank of slot.banks) {
      const bankBefore = bank.free.length;
      moved.push(...change(bank, gpus));
      if (slot.isOffered) reindex(this.indexOf(bank.type), slot, bankBefore, bank.free.length);
      slot.freeGpus += bank.free.length - bankBefore;
    }
    if (slot.isOffered) reindex(this.#all, slot, freeBefore, slot.freeGpus);
    return moved;
  }

  #list(slot: NodeSlot): void {
    this.#all.add(slot.order, slot.freeGpus);
    for (const bank of slot.banks) {
      let index = this.#byType.get(bank.type);
      if (index === undefined) {
        index = new FreeIndex(this.slots.length);
        this.#byType.set(bank.type, index);
      }
      index.add(slot.order, bank.free.length);
    }
  }
}

function slotsOf(nodes: readonly Node[]): readonly NodeSlot[] {
  return [...nodes].sort((a, b) => compareText(a.spec.id, b.spec.id)).map(createSlot);
}

function copySlot(slot: NodeSlot): NodeSlot {
  const banks: Bank[] = [];
  const copy = { ...slot, banks };
  // Lists of free GPUs are replaced, never changed: the copies may share them.
  for (const { type, indexes, free } of slot.banks) banks.push({ slot: copy, type, indexes, free });
  return copy;
}

function createSlot(node: Node, order: number): NodeSlot {
  const { spec } = node;
  const banks: Bank[] = [];
  const slot: NodeSlot = {
    id: spec.id,
    spec,
    order,
    isOffered: isSchedulable(node),
    banks,
    freeGpus: 0,
    freeCpuMilli: spec.cpuMilli === 0 ? Number.POSITIVE_INFINITY : spec.cpuMilli,
    freeMemoryMib: spec.memoryMib === 0 ? Number.POSITIVE_INFINITY : spec.memoryMib,
  };
  const held = new Set<number>();
  for (const allocation of node.allocations) {
    for (const gpu of allocation.gpus) held.add(gpu);
    changeHost(slot, allocation.resources, -1);
  }
  for (const type of new Set(spec.gpus.map((gpu) => gpu.type))) {
    const indexes = spec.gpus.filter((gpu) => gpu.type === type).map((gpu) => gpu.index);
    indexes.sort((a, b) => a - b);
    const free = indexes.filter((index) => !held.has(index));
    banks.push({ slot, type, indexes, free });
    slot.freeGpus += free.length;
  }
  return slot;
}

function changeHost(slot: NodeSlot, resources: Resources, sign: 1 | -1): void {
  slot.freeCpuMilli += sign * resources.cpuMilli;
  slot.freeMemoryMib += sign * resources.memoryMib;
}

function takeFrom(bank: Bank, gpus: readonly number[]): readonly number[] {
  const taken = bank.free.filter((index) => gpus.includes(index));
  if (taken.length > 0) bank.free = bank.free.filter((index) => !gpus.includes(index));
  return taken;
}

/** GPUs that the node no longer has are not given: it may have come back with fewer. */
function giveTo(bank: Bank, gpus: readonly number[]): readonly number[] {
  const given = gpus.filter((index) => bank.indexes.includes(index));
  assert(!given.some((index) => bank.free.includes(index)), `${bank.slot.id}: given back twice`);
  if (given.length > 0) bank.free = [...bank.free, ...given].sort((a, b) => a - b);
  return given;
}

function reindex(index: FreeIndex, slot: NodeSlot, before: number, after: number): void {
  if (before === after) return;
  index.remove(slot.order, before);
  index.add(slot.order, after);
}
