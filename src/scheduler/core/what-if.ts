// How many nodes of each site could serve a task if certain others left: counted without touching the
// pool, so that victims can be tried and given back by the hundred.

import { must } from "../../base/assert.ts";
import type { NodePool, NodeSlot } from "./fit.ts";
import type { HeldTask } from "./pass.ts";
import { needsIsland, type Shape } from "./shape.ts";
import { isSpotBarred } from "./suitable.ts";
import { SiteTable } from "./sites.ts";

/** What would be free on a node. */
interface Room {
  /** By bank of the slot. */
  readonly gpus: number[];
  /** By bank, then by island: only kept where islands count. */
  readonly islands: readonly Map<string, number>[];
  cpuMilli: number;
  memoryMib: number;
}

export class WhatIf {
  readonly sites: SiteTable;
  readonly #pool: NodePool;
  readonly #shape: Shape;
  readonly #typeSets: readonly ReadonlySet<string>[];
  readonly #needsIsland: boolean;
  readonly #rooms = new Map<number, Room>();
  /** By site. */
  readonly #nodesFit: number[];
  #wholeSites = 0;

  constructor(pool: NodePool, shape: Shape) {
    this.#pool = pool;
    this.#shape = shape;
    this.#needsIsland = needsIsland(shape);
    this.sites = new SiteTable(pool, shape);
    this.#typeSets = this.sites.typeSets.map((types) => new Set(types));
    this.#nodesFit = Array.from({ length: this.sites.count }, () => 0);
    for (const slot of pool.slots) {
      for (let typeSet = 0; typeSet < this.#typeSets.length; typeSet += 1) {
        if (this.fits(slot, typeSet)) this.#count(slot, typeSet, 1);
      }
    }
  }

  /** Nodes of the site that could serve one task of the shape. */
  nodesFit(site: number): number {
    return must(this.#nodesFit[site], `site ${site}`);
  }

  /** Does the whole gang fit on some site? */
  get isEnough(): boolean {
    return this.#wholeSites > 0;
  }

  leave(tasks: readonly HeldTask[]): void {
    for (const task of tasks) this.#change(task, 1);
  }

  stay(tasks: readonly HeldTask[]): void {
    for (const task of tasks) this.#change(task, -1);
  }

  fits(slot: NodeSlot, typeSet: number): boolean {
    if (!slot.isOffered || isSpotBarred(slot, this.#shape)) return false;
    const { gpus, cpuMilli, memoryMib } = this.#shape.perNode;
    const room = this.#rooms.get(slot.order);
    if (cpuMilli > 0 && cpuMilli > (room?.cpuMilli ?? slot.freeCpuMilli)) return false;
    if (memoryMib > 0 && memoryMib > (room?.memoryMib ?? slot.freeMemoryMib)) return false;
    if (gpus === 0) return true;
    const types = must(this.#typeSets[typeSet], "types");
    // A loop: this is asked of every node for each search, and a closure each time is megabytes.
    for (let at = 0; at < slot.banks.length; at += 1) {
      const bank = must(slot.banks[at], "bank");
      const free = room?.gpus[at] ?? bank.free.length;
      if (free < gpus || !types.has(bank.type)) continue;
      if (!this.#needsIsland || this.#hasIsland(slot, at)) return true;
    }
    return false;
  }

  #hasIsland(slot: NodeSlot, bank: number): boolean {
    const sizes = must(this.#roomOf(slot).islands[bank], "islands of the bank");
    return [...sizes.values()].some((free) => free >= this.#shape.perNode.gpus);
  }

  #change({ placement, resources }: HeldTask, sign: 1 | -1): void {
    const slot = this.#pool.slot(placement.nodeId);
    if (slot === undefined || !slot.isOffered) return;
    const before = this.#typeSets.map((_, typeSet) => this.fits(slot, typeSet));
    const room = this.#roomOf(slot);
    room.cpuMilli += sign * resources.cpuMilli;
    room.memoryMib += sign * resources.memoryMib;
    slot.banks.forEach(({ indexes, islands }, at) => {
      const own = placement.gpus.filter((gpu) => indexes.includes(gpu));
      room.gpus[at] = must(room.gpus[at], "bank") + sign * own.length;
      if (this.#needsIsland) addTo(must(room.islands[at], "bank"), islands, own, sign);
    });
    before.forEach((did, typeSet) => {
      const does = this.fits(slot, typeSet);
      if (does !== did) this.#count(slot, typeSet, does ? 1 : -1);
    });
  }

  #count(slot: NodeSlot, typeSet: number, change: 1 | -1): void {
    const site = this.sites.siteOf(slot, typeSet);
    if (site < 0) return;
    const { nodes } = this.#shape;
    const before = must(this.#nodesFit[site], "site");
    const after = before + change;
    this.#nodesFit[site] = after;
    this.#wholeSites += Number(after >= nodes) - Number(before >= nodes);
  }

  #roomOf(slot: NodeSlot): Room {
    let room = this.#rooms.get(slot.order);
    if (room === undefined) {
      const gpus = slot.banks.map(({ free }) => free.length);
      const islands = this.#needsIsland
        ? slot.banks.map((bank) => addTo(new Map<string, number>(), bank.islands, bank.free, 1))
        : [];
      room = { gpus, islands, cpuMilli: slot.freeCpuMilli, memoryMib: slot.freeMemoryMib };
      this.#rooms.set(slot.order, room);
    }
    return room;
  }
}

function addTo(
  sizes: Map<string, number>,
  islands: ReadonlyMap<number, string>,
  gpus: readonly number[],
  sign: 1 | -1,
): Map<string, number> {
  for (const gpu of gpus) {
    const island = islands.get(gpu);
    if (island !== undefined) sizes.set(island, (sizes.get(island) ?? 0) + sign);
  }
  return sizes;
}
