// The index of nodes by free GPUs against a plain list of numbers.

import { expect, test } from "vitest";
import { createPrng } from "../../base/prng.ts";
import { FreeIndex } from "./free-index.ts";

const NODES = 70;
const LEVEL_MAX = 8;

const visited = (index: FreeIndex, free: number): readonly number[] => {
  const orders: number[] = [];
  index.scan(free, (order) => orders.push(order) > 0);
  return orders;
};

test("knows the nodes of each level, in order, after many changes", () => {
  const prng = createPrng(7);
  const index = new FreeIndex(NODES);
  const free = Array.from({ length: NODES }, () => 0);
  free.forEach((level, order) => index.add(order, level));
  for (let change = 0; change < 500; change += 1) {
    const order = prng.below(NODES);
    index.remove(order, free[order] ?? 0);
    free[order] = prng.below(LEVEL_MAX + 1);
    index.add(order, free[order]);
  }
  for (let level = 0; level <= LEVEL_MAX; level += 1) {
    const there = free.flatMap((have, order) => (have === level ? [order] : []));
    expect(visited(index, level)).toEqual(there);
    expect(index.countAt(level)).toBe(there.length);
    expect(index.countFrom(level)).toBe(free.filter((have) => have >= level).length);
  }
  expect(index.freeTotal).toBe(free.reduce((sum, have) => sum + have, 0));
  expect(index.levelMax).toBe(LEVEL_MAX);
});

test("stops where the visitor has enough", () => {
  const index = new FreeIndex(NODES);
  for (const order of [3, 40, 69]) index.add(order, 2);
  const orders: number[] = [];
  expect(index.scan(2, (order) => orders.push(order) < 2)).toBe(false);
  expect(orders).toEqual([3, 40]);
});

test("a copy goes its own way, also to levels that the other has not", () => {
  const index = new FreeIndex(NODES);
  index.add(1, 4);
  const copy = new FreeIndex(index);
  copy.remove(1, 4);
  copy.add(1, 6);
  expect([index.has(1, 4), index.has(1, 6), copy.has(1, 4), copy.has(1, 6)]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

test("refuses to remove a node from a level that it is not on", () => {
  const index = new FreeIndex(NODES);
  index.add(1, 4);
  expect(() => index.remove(1, 3)).toThrow("node 1 has not 3 free");
});
