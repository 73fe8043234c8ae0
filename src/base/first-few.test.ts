import { expect, test } from "vitest";
import { FirstFew } from "./first-few.ts";
import { createPrng } from "./prng.ts";

interface Item {
  readonly rank: number;
  readonly order: number;
}

const byRank = (a: Item, b: Item): number => a.rank - b.rank;

test("keeps what a stable sort would put first", () => {
  const prng = createPrng(7);
  for (let round = 0; round < 200; round += 1) {
    const items = Array.from({ length: prng.below(12) }, (_, order) => {
      return { rank: prng.below(5), order };
    });
    const countMax = 1 + prng.below(5);
    const few = new FirstFew(countMax, byRank);
    for (const item of items) few.add(item);
    const first = items.toSorted(byRank).slice(0, countMax);
    expect(few.items).toEqual(first);
    expect(few.last).toBe(first.length === countMax ? first[countMax - 1] : null);
  }
});
