// How many nodes could serve a task if certain others left: counted without touching the pool, so
// that victims can be tried and given back by the hundred.

import { must } from "../../base/assert.ts";
import type { NodePool, NodeSlot } from "./fit.ts";
import { gpuTypeMatches, type Shape } from "./gang.ts";
import type { HeldTask } from "./pass.ts";

/** What would be free on a node. */
interface Room {
  /** By bank of the slot. */
  readonly gpus: number[];
  cpuMilli: number;
  memoryMib: number;
}

export class WhatIf {
  readonly #pool: NodePool;
  readonly #shape: Shape;
  readonly #types: ReadonlySet<string>;
  readonly #rooms = new Map<number, Room>();
  #count = 0;

  constructor(pool: NodePool, shape: Shape) {
    this.#pool = pool;
    this.#shape = shape;
    this.#types = new Set(pool.types.filter((type) => gpuTypeMatches(shape.gpuType, type)));
    for (const slot of pool.slots) if (this.fits(slot)) this.#count += 1;
  }

  /** Nodes that could serve one task of the shape. */
  get count(): number {
    return this.#count;
  }

  leave(tasks: readonly HeldTask[]): void {
    for (const task of tasks) this.#change(task, 1);
  }

  stay(tasks: readonly HeldTask[]): void {
    for (const task of tasks) this.#change(task, -1);
  }

  fits(slot: NodeSlot): boolean {
    if (!slot.isOffered) return false;
    const { gpus, cpuMilli, memoryMib } = this.#shape.perNode;
    const room = this.#rooms.get(slot.order);
    if (cpuMilli > 0 && cpuMilli > (room?.cpuMilli ?? slot.freeCpuMilli)) return false;
    if (memoryMib > 0 && memoryMib > (room?.memoryMib ?? slot.freeMemoryMib)) return false;
    if (gpus === 0) return true;
    // A loop: this is asked of every node for each search, and a closure each time is megabytes.
    for (let at = 0; at < slot.banks.length; at += 1) {
      const bank = must(slot.banks[at], "bank");
      const free = room?.gpus[at] ?? bank.free.length;
      if (free >= gpus && this.#types.has(bank.type)) return true;
    }
    return false;
  }

  #change({ placement, resources }: HeldTask, sign: 1 | -1): void {
    const slot = this.#pool.slot(placement.nodeId);
    if (slot === undefined || !slot.isOffered) return;
    const before = this.fits(slot);
    const room = this.#roomOf(slot);
    room.cpuMilli += sign * resources.cpuMilli;
    room.memoryMib += sign * resources.memoryMib;
    slot.banks.forEach(({ indexes }, at) => {
      const own = placement.gpus.filter((gpu) => indexes.includes(gpu)).length;
      room.gpus[at] = must(room.gpus[at], "bank") + sign * own;
    });
    this.#count += Number(this.fits(slot)) - Number(before);
  }

  #roomOf(slot: NodeSlot): Room {
    let room = this.#rooms.get(slot.order);
    if (room === undefined) {
      const gpus = slot.banks.map(({ free }) => free.length);
      room = { gpus, cpuMilli: slot.freeCpuMilli, memoryMib: slot.freeMemoryMib };
      this.#rooms.set(slot.order, room);
    }
    return room;
  }
}
