// The first few of many in order, without sorting the rest: each one that is added is put in its place
// among those that stand so far. Good for few; it moves what comes after.

export class FirstFew<T> {
  /** In order; at most `countMax`. Of equals the one that was added first comes first. */
  readonly items: readonly T[];
  readonly #items: T[] = [];
  readonly #countMax: number;
  readonly #compare: (a: T, b: T) => number;

  constructor(countMax: number, compare: (a: T, b: T) => number) {
    this.items = this.#items;
    this.#countMax = countMax;
    this.#compare = compare;
  }

  /** The one that the next has to beat; null = there is still a place. */
  get last(): T | null {
    return this.#items[this.#countMax - 1] ?? null;
  }

  add(item: T): void {
    let at = this.#items.length;
    for (; at > 0; at -= 1) {
      const before = this.#items[at - 1];
      if (before === undefined || this.#compare(before, item) <= 0) break;
    }
    if (at === this.#countMax) return;
    this.#items.splice(at, 0, item);
    if (this.#items.length > this.#countMax) this.#items.pop();
  }
}
