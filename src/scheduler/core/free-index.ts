// Nodes by how much they have free. Knows numbers only: a node is its position among all nodes.

import { assert } from "../../base/assert.ts";

/**
 * A set of node orders for each number of free GPUs: walked in order, changed in O(1). All levels
 * are in one array, so that a copy is one move of memory.
 */
export class FreeIndex {
  readonly #words: number;
  /** A bit for each node, level after level. */
  #bits: Uint32Array;
  /** By level. */
  readonly #counts: number[];

  /** Of a number of nodes: with none in it. Of another index: a copy. */
  constructor(from: number | FreeIndex) {
    const isCopy = from instanceof FreeIndex;
    this.#words = isCopy ? from.#words : Math.ceil(from / 32);
    this.#bits = isCopy ? from.#bits.slice() : new Uint32Array(0);
    this.#counts = isCopy ? from.#counts.slice() : [];
  }

  get levelMax(): number {
    return this.#counts.length - 1;
  }

  add(order: number, free: number): void {
    if (free >= this.#counts.length) this.#grow(free + 1);
    const word = this.#wordOf(order, free);
    this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (order & 31));
    this.#counts[free] = this.countAt(free) + 1;
  }

  remove(order: number, free: number): void {
    assert(this.has(order, free), `node ${order} has not ${free} free`);
    const word = this.#wordOf(order, free);
    this.#bits[word] = (this.#bits[word] ?? 0) & ~(1 << (order & 31));
    this.#counts[free] = this.countAt(free) - 1;
  }

  /** GPUs free on all nodes. */
  get freeTotal(): number {
    return this.#counts.reduce((sum, count, free) => sum + count * free, 0);
  }

  /** Nodes with exactly that many free. */
  countAt(free: number): number {
    return this.#counts[free] ?? 0;
  }

  /** Nodes with at least that many free. */
  countFrom(free: number): number {
    let count = 0;
    for (let at = free; at < this.#counts.length; at += 1) count += this.countAt(at);
    return count;
  }

  has(order: number, free: number): boolean {
    if (free >= this.#counts.length) return false;
    return (((this.#bits[this.#wordOf(order, free)] ?? 0) >>> (order & 31)) & 1) === 1;
  }

  /** Visits the nodes with exactly that many free, in order, until `visit` answers false. */
  scan(free: number, visit: (order: number) => boolean): boolean {
    if (this.countAt(free) === 0) return true;
    const from = free * this.#words;
    for (let word = 0; word < this.#words; word += 1) {
      let bits = this.#bits[from + word] ?? 0;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        if (!visit(word * 32 + bit)) return false;
      }
    }
    return true;
  }

  #wordOf(order: number, free: number): number {
    return free * this.#words + (order >>> 5);
  }

  #grow(levels: number): void {
    const bits = new Uint32Array(levels * this.#words);
    bits.set(this.#bits);
    this.#bits = bits;
    while (this.#counts.length < levels) this.#counts.push(0);
  }
}
