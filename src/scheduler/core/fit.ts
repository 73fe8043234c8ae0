// What is free on each node, indexed for best fit: nodes by GPU type and by how many of those GPUs
// are free. A pool belongs to one planning pass, which takes from it and gives back. Knows no jobs.

import { assert, must } from "../../base/assert.ts";
import { compareText, type NodeId } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import type { TaskPlacement } from "./job.ts";
import type { Node, NodeSpec } from "./state.ts";
import { DOMAIN_LEVELS, type DomainLevel, domainOf, isSpotNode, islandsOf } from "./topology.ts";

/** GPUs of one type on one node. A task's GPUs all come from one bank. */
export interface Bank {
  readonly slot: NodeSlot;
  readonly type: string;
  /** Ascending. */
  readonly indexes: readonly number[];
  /** Ascending. */
  free: readonly number[];
  /** NVLink island of each GPU by index, as far as known. Never changes. */
  readonly islands: ReadonlyMap<number, string>;
}

export interface NodeSlot {
  readonly id: NodeId;
  readonly spec: NodeSpec;
  /** Position among all nodes by id. */
  readonly order: number;
  /** Up and open: only then does the pool offer it. */
  readonly isOffered: boolean;
  /** May be taken away at short notice. */
  readonly isSpot: boolean;
  /** Its domain of each level; null = no label says. */
  readonly domains: Readonly<Record<DomainLevel, Domain | null>>;
  readonly banks: readonly Bank[];
  freeGpus: number;
  /** May go below 0 where something is kept that is not free yet. Infinity = not accounted. */
  freeCpuMilli: number;
  freeMemoryMib: number;
}

/** Nodes that stand close together: a rack, a block. */
export interface Domain {
  /** `r7`, or `b2/r7` where racks are inside blocks. */
  readonly id: string;
  /** Position among the domains of its level by id. */
  readonly at: number;
  /** Of its nodes, ascending. */
  readonly orders: readonly number[];
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
  return node.health === "up" && node.schedulability === "open" && node.conditions.length === 0;
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

  has(order: number, free: number): boolean {
    return (((this.#levels[free]?.bits[order >>> 5] ?? 0) >>> (order & 31)) & 1) === 1;
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
  #kinds: readonly NodeKind[] | null = null;
  readonly #domains: Readonly<Record<DomainLevel, readonly Domain[]>>;
  /** GPUs that are free on the offered nodes of each domain, by its position. */
  readonly #freeIn: Readonly<Record<DomainLevel, number[]>>;

  /** Of nodes: with every allocation taken. Of another pool: a copy of it, which costs far less. */
  constructor(from: readonly Node[] | NodePool) {
    this.slots = from instanceof NodePool ? from.slots.map(copySlot) : slotsOf(from);
    this.#domains = from instanceof NodePool ? from.#domains : domainsOf(this.slots);
    this.#freeIn = {
      rack: this.#domains.rack.map(() => 0),
      block: this.#domains.block.map(() => 0),
    };
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

  /** Domains of a level, by id. Nodes without its label are in none. */
  domains(level: DomainLevel): readonly Domain[] {
    return this.#domains[level];
  }

  /** GPUs of any type that are free in the domain, on nodes that are offered. */
  freeIn(level: DomainLevel, domain: Domain): number {
    return must(this.#freeIn[level][domain.at], `free in ${domain.id}`);
  }

  /** Nodes of the same size, offered or not: one of them, and how many there are. */
  kinds(): readonly NodeKind[] {
    return (this.#kinds ??= this.#listKinds());
  }

  #listKinds(): readonly NodeKind[] {
    const kinds = new Map<string, NodeKind>();
    for (const slot of this.slots) {
      const { cpuMilli, memoryMib } = slot.spec;
      const banks = slot.banks.map(({ type, indexes, islands }) => {
        return `${type}*${indexes.length}*${[...islands.values()].join()}`;
      });
      const key = `${cpuMilli}|${memoryMib}|${slot.isSpot}|${banks.join("|")}`;
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
    if (slot.isOffered) {
      reindex(this.#all, slot, freeBefore, slot.freeGpus);
      this.#countIn(slot, slot.freeGpus - freeBefore);
    }
    return moved;
  }

  #countIn({ domains }: NodeSlot, gpus: number): void {
    for (const level of DOMAIN_LEVELS) {
      const at = domains[level]?.at;
      if (at !== undefined) this.#freeIn[level][at] = (this.#freeIn[level][at] ?? 0) + gpus;
    }
  }

  #list(slot: NodeSlot): void {
    this.#countIn(slot, slot.freeGpus);
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

/** Says of each slot where it is. */
function slotsOf(nodes: readonly Node[]): readonly NodeSlot[] {
  const ordered = [...nodes].sort((a, b) => compareText(a.spec.id, b.spec.id));
  const racks = domainsAt(ordered, "rack");
  const blocks = domainsAt(ordered, "block");
  return ordered.map((node, order) => {
    const domains = { rack: racks[order] ?? null, block: blocks[order] ?? null };
    return createSlot(node, order, domains);
  });
}

/** The domain of each node, in the order of the nodes. */
function domainsAt(nodes: readonly Node[], level: DomainLevel): readonly (Domain | null)[] {
  const names = nodes.map(({ spec }) => domainOf(spec.labels, level));
  const orders = new Map<string, number[]>();
  names.forEach((name, order) => {
    if (name === "") return;
    const members = orders.get(name);
    if (members === undefined) orders.set(name, [order]);
    else members.push(order);
  });
  const domains = new Map<string, Domain>();
  for (const id of [...orders.keys()].sort(compareText)) {
    domains.set(id, { id, at: domains.size, orders: orders.get(id) ?? [] });
  }
  return names.map((name) => domains.get(name) ?? null);
}

/** All domains of the slots, by level. */
function domainsOf(slots: readonly NodeSlot[]): Readonly<Record<DomainLevel, readonly Domain[]>> {
  const all = { rack: new Set<Domain>(), block: new Set<Domain>() };
  for (const { domains } of slots) {
    for (const level of DOMAIN_LEVELS) {
      const domain = domains[level];
      if (domain !== null) all[level].add(domain);
    }
  }
  const sorted = (found: ReadonlySet<Domain>): readonly Domain[] =>
    [...found].sort((a, b) => a.at - b.at);
  return { rack: sorted(all.rack), block: sorted(all.block) };
}

function copySlot(slot: NodeSlot): NodeSlot {
  const banks: Bank[] = [];
  const copy = { ...slot, banks };
  // Lists of free GPUs are replaced, never changed: the copies may share them.
  for (const bank of slot.banks) banks.push({ ...bank, slot: copy });
  return copy;
}

function createSlot(node: Node, order: number, domains: NodeSlot["domains"]): NodeSlot {
  const { spec } = node;
  const banks: Bank[] = [];
  const slot: NodeSlot = {
    id: spec.id,
    spec,
    order,
    isOffered: isSchedulable(node),
    isSpot: isSpotNode(spec.labels),
    domains,
    banks,
    freeGpus: 0,
    freeCpuMilli: spec.cpuMilli === 0 ? Number.POSITIVE_INFINITY : spec.cpuMilli,
    freeMemoryMib: spec.memoryMib === 0 ? Number.POSITIVE_INFINITY : spec.memoryMib,
  };
  const islands = islandsOf(spec.gpus);
  const held = new Set<number>();
  for (const allocation of node.allocations) {
    for (const gpu of allocation.gpus) held.add(gpu);
    changeHost(slot, allocation.resources, -1);
  }
  for (const type of new Set(spec.gpus.map((gpu) => gpu.type))) {
    const indexes = spec.gpus.filter((gpu) => gpu.type === type).map((gpu) => gpu.index);
    indexes.sort((a, b) => a - b);
    const free = indexes.filter((index) => !held.has(index));
    banks.push({ slot, type, indexes, free, islands });
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
