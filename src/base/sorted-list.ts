// A list that stays sorted, in blocks of bounded length: adding and removing cost a search and a move
// within one block, wherever they happen. A plain array moves everything behind; a tree costs several
// times the memory. Iterating while it changes is not supported.

import { must } from "./assert.ts";

/** The face for those who only read. */
export interface ReadonlySortedList<T, Probe = T> extends Iterable<T> {
  readonly size: number;
  /** Undefined when it is empty. */
  readonly first: T | undefined;
  /** The item at that position, 0 = the first. */
  at(position: number): T | undefined;
  /** How many items come before `probe`, be it in the list or not. */
  rank(probe: Probe): number;
}

/** Blocks are split in two when they grow beyond this. */
const BLOCK_MAX = 512;

/** `Probe` is as much of an item as is compared. */
export class SortedList<T extends Probe, Probe = T> implements ReadonlySortedList<T, Probe> {
  readonly #compare: (a: Probe, b: Probe) => number;
  /** None is empty. */
  readonly #blocks: T[][] = [];
  #size = 0;
  /** Of thousands of lists it is all that is asked for: to find it in its block takes five steps. */
  #first: T | undefined = undefined;

  /** `compare` must be total: it answers 0 for one and the same item only. */
  constructor(compare: (a: Probe, b: Probe) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  /** A list of its own with the same items. */
  copy(): SortedList<T, Probe> {
    const copy = new SortedList<T, Probe>(this.#compare);
    for (const block of this.#blocks) copy.#blocks.push([...block]);
    copy.#size = this.#size;
    copy.#first = this.#first;
    return copy;
  }

  add(item: T): void {
    this.#size += 1;
    if (this.#first === undefined || this.#compare(item, this.#first) < 0) this.#first = item;
    const at = Math.min(this.#blockOf(item), this.#blocks.length - 1);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([item]);
      return;
    }
    const position = this.#search(block, item);
    if (position === block.length) block.push(item);
    else block.splice(position, 0, item);
    if (block.length <= BLOCK_MAX) return;
    // Most are added at the end: then the older half is never touched again.
    this.#blocks.splice(at + 1, 0, block.splice(BLOCK_MAX >> 1));
  }

  /** True when it was there. */
  delete(item: T): boolean {
    const at = this.#blockOf(item);
    const block = this.#blocks[at];
    if (block === undefined) return false;
    const position = this.#search(block, item);
    const found = block[position];
    if (found === undefined || this.#compare(found, item) !== 0) return false;
    if (block.length === 1) this.#blocks.splice(at, 1);
    else block.splice(position, 1);
    this.#size -= 1;
    this.#first = this.#blocks[0]?.[0];
    return true;
  }

  get first(): T | undefined {
    return this.#first;
  }

  at(position: number): T | undefined {
    let rest = position;
    for (const block of this.#blocks) {
      if (rest < block.length) return block[rest];
      rest -= block.length;
    }
    return undefined;
  }

  rank(probe: Probe): number {
    const at = this.#blockOf(probe);
    let before = 0;
    for (let n = 0; n < at; n += 1) before += must(this.#blocks[n], "block").length;
    const block = this.#blocks[at];
    return block === undefined ? before : before + this.#search(block, probe);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const block of this.#blocks) yield* block;
  }

  /** The first block whose last item is not before `item`; one past the end when there is none. */
  #blockOf(item: Probe): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const block = must(this.#blocks[middle], "block");
      if (this.#compare(must(block[block.length - 1], "item"), item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first position whose item is not before `item`. */
  #search(block: readonly T[], item: Probe): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(must(block[middle], "item"), item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
