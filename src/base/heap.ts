// A binary heap in a plain array: the least item is first.

import { must } from "./assert.ts";

/** Puts the item in its place; `compare` must be total. */
export function pushHeap<T>(heap: T[], item: T, compare: (a: T, b: T) => number): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = must(heap[up], "heap");
    if (compare(parent, item) <= 0) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = item;
}

/** Takes the least item out. The heap must not be empty. */
export function popHeap<T>(heap: T[], compare: (a: T, b: T) => number): T {
  const top = must(heap[0], "heap is not empty");
  const last = must(heap.pop(), "heap is not empty");
  if (heap.length > 0) sink(heap, last, compare);
  return top;
}

/** Call after the first item changed: it moves to its place. */
export function sinkFirst<T>(heap: T[], compare: (a: T, b: T) => number): void {
  const first = heap[0];
  if (first !== undefined) sink(heap, first, compare);
}

/** Puts the item into the hole at the top. */
function sink<T>(heap: T[], item: T, compare: (a: T, b: T) => number): void {
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    const left = heap[down];
    if (left === undefined) break;
    const right = heap[down + 1];
    if (right !== undefined && compare(right, left) < 0) down += 1;
    const child = must(heap[down], "heap");
    if (compare(item, child) <= 0) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = item;
}
