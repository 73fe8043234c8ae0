// Virtual time: what happens when. Owns the order of everything in the simulation: by time, then by
// the order in which it was scheduled. Never sleeps, never reads a real clock.

import { assert } from "../base/assert.ts";

/** Something that was scheduled; cancelling it twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

export class Timeline {
  private readonly heap: Entry[] = [];
  private orderLast = 0;
  private currentMs = 0;
  /** Entries that ran so far. */
  ranCount = 0;

  /** True time in whole milliseconds since the start. No actor sees it directly: see host-clock.ts. */
  get nowMs(): number {
    return this.currentMs;
  }

  after(delayMs: number, run: () => void): Timer {
    assert(Number.isFinite(delayMs), `a delay of ${delayMs} ms`);
    this.orderLast += 1;
    const atMs = this.currentMs + Math.max(0, Math.ceil(delayMs));
    const entry: Entry = { atMs, order: this.orderLast, run, isCancelled: false };
    this.push(entry);
    return {
      cancel: () => {
        entry.isCancelled = true;
      },
    };
  }

  /** Runs the next entry; false when there is none up to `untilMs`, and time is then `untilMs`. */
  runNext(untilMs: number): boolean {
    for (;;) {
      const next = this.heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.currentMs = Math.max(this.currentMs, untilMs);
        return false;
      }
      this.pop();
      if (next.isCancelled) continue;
      this.currentMs = next.atMs;
      this.ranCount += 1;
      next.run();
      return true;
    }
  }

  /** Runs on until `untilMs`, or until `isDone`. */
  run(untilMs: number, isDone: () => boolean = () => false): void {
    while (!isDone() && this.runNext(untilMs));
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = heap[up];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[at] = above;
      at = up;
    }
    heap[at] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const child = smallerChild(heap, at);
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function smallerChild(heap: readonly Entry[], at: number): number {
  const left = 2 * at + 1;
  const a = heap[left];
  const b = heap[left + 1];
  return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left;
}
