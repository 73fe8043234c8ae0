// What is free on each node, indexed for best fit: nodes by GPU type and by how many of those GPUs
// are free. A pool belongs to one planning pass, which takes from it and gives back. Knows no jobs.
//
// Slots and banks are replaced, never changed, so copies of a pool share them: a pass needs three
// pools, and changes a few nodes of each.

import { assert, must } from "../../base/assert.ts";
import { compareText, type NodeId } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import { FreeIndex } from "./free-index.ts";
import type { TaskPlacement } from "./job.ts";
import type { Allocation, Node, NodeSpec } from "./state.ts";
import { DOMAIN_LEVELS, type DomainLevel, domainOf, isSpotNode, islandsOf } from "./topology.ts";

/** GPUs of one type on one node. A task's GPUs all come from one bank. */
export interface Bank {
  readonly type: string;
  /** Ascending. */
  readonly indexes: readonly number[];
  /** Ascending. */
  readonly free: readonly number[];
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
  readonly freeGpus: number;
  /** May go below 0 where something is kept that is not free yet. Infinity = not accounted. */
  readonly freeCpuMilli: number;
  readonly freeMemoryMib: number;
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
export function hasHostRoom(
  slot: Pick<NodeSlot, "freeCpuMilli" | "freeMemoryMib">,
  need: TaskNeed,
): boolean {
  return (
    (need.cpuMilli === 0 || need.cpuMilli <= slot.freeCpuMilli) &&
    (need.memoryMib === 0 || need.memoryMib <= slot.freeMemoryMib)
  );
}

/** What does not change while only jobs come and go on the nodes. Copies of a pool share it. */
interface Layout {
  readonly orders: ReadonlyMap<NodeId, number>;
  readonly domains: Readonly<Record<DomainLevel, readonly Domain[]>>;
  /** Null until it is asked for. */
  kinds: readonly NodeKind[] | null;
}

export class NodePool {
  /** Types that offered nodes have, in order of their names. */
  readonly types: readonly string[];
  readonly #layout: Layout;
  readonly #slots: NodeSlot[];
  readonly #byType: ReadonlyMap<string, FreeIndex>;
  /** By free GPUs of any type: for tasks that need none. */
  readonly #all: FreeIndex;
  /** GPUs that are free on the offered nodes of each domain, by its position. */
  readonly #freeIn: Readonly<Record<DomainLevel, number[]>>;

  /** Of nodes: with every allocation taken. Of another pool: a copy of it, which costs far less. */
  constructor(from: readonly Node[] | NodePool) {
    if (from instanceof NodePool) {
      this.types = from.types;
      this.#layout = from.#layout;
      this.#slots = from.#slots.slice();
      this.#all = new FreeIndex(from.#all);
      this.#byType = new Map(
        [...from.#byType].map(([type, index]) => [type, new FreeIndex(index)]),
      );
      this.#freeIn = { rack: from.#freeIn.rack.slice(), block: from.#freeIn.block.slice() };
      return;
    }
    this.#slots = slotsOf(from);
    this.#layout = layoutOf(this.#slots);
    const { rack, block } = this.#layout.domains;
    this.#freeIn = { rack: rack.map(() => 0), block: block.map(() => 0) };
    this.#all = new FreeIndex(this.#slots.length);
    this.#byType = indexesFor(this.#slots);
    this.types = [...this.#byType.keys()];
    for (const slot of this.#slots) if (slot.isOffered) this.#list(slot);
  }

  /** The same object for as long as the nodes are as large, and offered, as they are. */
  get layout(): object {
    return this.#layout;
  }

  /** All nodes by id, offered or not. */
  get slots(): readonly NodeSlot[] {
    return this.#slots;
  }

  slot(id: NodeId): NodeSlot | undefined {
    const order = this.#layout.orders.get(id);
    return order === undefined ? undefined : this.#slots[order];
  }

  indexOf(type: string): FreeIndex {
    return must(this.#byType.get(type), `GPU type ${type}`);
  }

  /** Domains of a level, by id. Nodes without its label are in none. */
  domains(level: DomainLevel): readonly Domain[] {
    return this.#layout.domains[level];
  }

  /** GPUs of any type that are free in the domain, on nodes that are offered. */
  freeIn(level: DomainLevel, domain: Domain): number {
    return must(this.#freeIn[level][domain.at], `free in ${domain.id}`);
  }

  /** Nodes of the same size, offered or not: one of them, and how many there are. */
  kinds(): readonly NodeKind[] {
    return (this.#layout.kinds ??= kindsOf(this.#slots));
  }

  get nodesByFree(): FreeIndex {
    return this.#all;
  }

  slotAt(order: number): NodeSlot {
    return must(this.#slots[order], `node ${order}`);
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
  take({ nodeId, gpus }: TaskPlacement, resources: Resources): readonly number[] {
    const slot = this.slot(nodeId);
    if (slot === undefined) return [];
    const taken = slot.banks.flatMap(({ free }) => free.filter((gpu) => gpus.includes(gpu)));
    const freeOf = ({ free }: Bank): readonly number[] =>
      free.filter((gpu) => !taken.includes(gpu));
    this.#replace(changed(slot, taken.length === 0 ? null : freeOf, resources, -1));
    return taken;
  }

  /**
   * Gives GPUs, CPU and memory back. GPUs that the node no longer has are not given: it may have
   * come back with fewer.
   */
  give({ nodeId, gpus }: TaskPlacement, resources: Resources): void {
    const slot = this.slot(nodeId);
    if (slot === undefined) return;
    const freeOf = ({ indexes, free }: Bank): readonly number[] => {
      const given = gpus.filter((gpu) => indexes.includes(gpu));
      assert(!given.some((gpu) => free.includes(gpu)), `${nodeId}: given back twice`);
      return given.length === 0 ? free : [...free, ...given].sort((a, b) => a - b);
    };
    this.#replace(changed(slot, gpus.length === 0 ? null : freeOf, resources, 1));
  }

  /** What the node has free by now. Nothing else about it may be other than it was. */
  renew({ spec, allocations }: Node): void {
    this.#replace(occupied(must(this.slot(spec.id), spec.id), allocations));
  }

  /** Those of the task's GPUs that are free. */
  freeOf({ nodeId, gpus }: TaskPlacement): readonly number[] {
    const banks = this.slot(nodeId)?.banks ?? [];
    return gpus.filter((gpu) => banks.some(({ free }) => free.includes(gpu)));
  }

  #replace(slot: NodeSlot): void {
    const { order } = slot;
    const before = this.slotAt(order);
    this.#slots[order] = slot;
    if (!slot.isOffered || slot.banks === before.banks) return;
    slot.banks.forEach(({ type, free }, at) => {
      reindex(this.indexOf(type), order, before.banks[at]?.free.length ?? 0, free.length);
    });
    reindex(this.#all, order, before.freeGpus, slot.freeGpus);
    this.#countIn(slot, slot.freeGpus - before.freeGpus);
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
    for (const { type, free } of slot.banks) this.indexOf(type).add(slot.order, free.length);
  }
}

function layoutOf(slots: readonly NodeSlot[]): Layout {
  const orders = new Map(slots.map(({ id, order }) => [id, order]));
  return { orders, domains: domainsOf(slots), kinds: null };
}

/** An empty one for each type that offered nodes have. */
function indexesFor(slots: readonly NodeSlot[]): ReadonlyMap<string, FreeIndex> {
  const types = new Set<string>();
  for (const { isOffered, banks } of slots) {
    if (isOffered) for (const { type } of banks) types.add(type);
  }
  return new Map([...types].sort(compareText).map((type) => [type, new FreeIndex(slots.length)]));
}

function kindsOf(slots: readonly NodeSlot[]): readonly NodeKind[] {
  const kinds = new Map<string, NodeKind>();
  for (const slot of slots) {
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

/** Says of each slot where it is. */
function slotsOf(nodes: readonly Node[]): NodeSlot[] {
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

function createSlot(node: Node, order: number, domains: NodeSlot["domains"]): NodeSlot {
  const { spec, allocations } = node;
  const islands = islandsOf(spec.gpus);
  const types = [...new Set(spec.gpus.map((gpu) => gpu.type))];
  const banks = types.map((type): Bank => {
    const indexes = spec.gpus.filter((gpu) => gpu.type === type).map((gpu) => gpu.index);
    indexes.sort((a, b) => a - b);
    return { type, indexes, free: indexes, islands };
  });
  const slot: NodeSlot = {
    id: spec.id,
    spec,
    order,
    isOffered: isSchedulable(node),
    isSpot: isSpotNode(spec.labels),
    domains,
    banks,
    freeGpus: spec.gpus.length,
    freeCpuMilli: 0,
    freeMemoryMib: 0,
  };
  return occupied(slot, allocations);
}

/** The slot with these allocations on it and no others. */
function occupied(slot: NodeSlot, allocations: readonly Allocation[]): NodeSlot {
  const { spec } = slot;
  let freeCpuMilli = spec.cpuMilli === 0 ? Number.POSITIVE_INFINITY : spec.cpuMilli;
  let freeMemoryMib = spec.memoryMib === 0 ? Number.POSITIVE_INFINITY : spec.memoryMib;
  const held = new Set<number>();
  for (const { gpus, resources } of allocations) {
    for (const gpu of gpus) held.add(gpu);
    freeCpuMilli -= resources.cpuMilli;
    freeMemoryMib -= resources.memoryMib;
  }
  const banks = slot.banks.map((bank) => {
    return { ...bank, free: bank.indexes.filter((gpu) => !held.has(gpu)) };
  });
  return { ...slot, banks, freeGpus: freeOfAll(banks), freeCpuMilli, freeMemoryMib };
}

/** The slot with as much more (sign 1) or less; `freeOf` says what is free of each bank then. */
function changed(
  slot: NodeSlot,
  freeOf: ((bank: Bank) => readonly number[]) | null,
  { cpuMilli, memoryMib }: Resources,
  sign: 1 | -1,
): NodeSlot {
  const banks =
    freeOf === null ? slot.banks : slot.banks.map((bank) => ({ ...bank, free: freeOf(bank) }));
  const freeGpus = freeOf === null ? slot.freeGpus : freeOfAll(banks);
  const freeCpuMilli = slot.freeCpuMilli + sign * cpuMilli;
  const freeMemoryMib = slot.freeMemoryMib + sign * memoryMib;
  return { ...slot, banks, freeGpus, freeCpuMilli, freeMemoryMib };
}

const freeOfAll = (banks: readonly Bank[]): number =>
  banks.reduce((sum, { free }) => sum + free.length, 0);

function reindex(index: FreeIndex, order: number, before: number, after: number): void {
  if (before === after) return;
  index.remove(order, before);
  index.add(order, after);
}
