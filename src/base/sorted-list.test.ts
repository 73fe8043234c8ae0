import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedList } from "./sorted-list.ts";

const number = fc.nat(3_000);

test("holds what a sorted array would hold, wherever items are added and removed", () => {
  const steps = fc.array(fc.record({ isAdded: fc.boolean(), item: number }), { maxLength: 200 });
  fc.assert(
    fc.property(
      fc.uniqueArray(number, { minLength: 500, maxLength: 2_000 }),
      steps,
      (start, all) => {
        const list = new SortedList<number>((a, b) => a - b);
        const model = new Set(start);
        const deleted: boolean[] = [];
        for (const item of start) list.add(item);
        for (const { isAdded, item } of all) {
          if (isAdded && !model.has(item)) list.add(item);
          if (isAdded) model.add(item);
          else deleted.push(list.delete(item) === model.delete(item));
        }
        const sorted = [...model].sort((a, b) => a - b);
        expect([...list]).toEqual(sorted);
        expect(deleted).not.toContain(false);
        expect([list.size, list.first]).toEqual([sorted.length, sorted[0]]);
        expect(sorted.map((_, at) => list.at(at))).toEqual(sorted);
        expect([list.at(sorted.length), list.at(-1)]).toEqual([undefined, undefined]);
        for (const probe of [0, 1, 1_500, 3_001]) {
          expect(list.rank(probe)).toBe(sorted.filter((item) => item < probe).length);
        }
      },
    ),
    { numRuns: 50, seed: 7 },
  );
});
