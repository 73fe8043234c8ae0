import fc from "fast-check";
import { expect, test } from "vitest";
import { anyPoint, anyValue, columnsOf } from "../../../test/property/tracker-points.ts";
import { comparePoints, compareValues, latestPoint } from "./latest.ts";

test("the greatest step wins, then the latest time, then the greatest value", () => {
  const points = [
    { step: 3, timestampMs: 10, value: 1 },
    { step: 3, timestampMs: 11, value: 0.5 },
    { step: 3, timestampMs: 11, value: 0.7 },
    { step: 2, timestampMs: 99, value: 9 },
  ];
  expect(latestPoint(null, columnsOf(points), 0)).toEqual(points[2]);
});

test("the order of values is total: NaN below all, -0 below 0", () => {
  const values = [3, Number.NaN, 0, Infinity, -0, -Infinity];
  expect(values.toSorted(compareValues)).toEqual([Number.NaN, -Infinity, -0, 0, 3, Infinity]);
  fc.assert(
    fc.property(anyValue, anyValue, (a, b) => {
      expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0);
    }),
  );
});

test("the latest does not depend on the order of arrival", () => {
  fc.assert(
    fc.property(
      fc.array(anyPoint, { minLength: 1, maxLength: 30 }),
      fc.nat(30),
      (points, split) => {
        const columns = columnsOf(points);
        const first = columnsOf(points.slice(0, split));
        const inTwo = latestPoint(latestPoint(null, first, 0), columnsOf(points.slice(split)), 0);
        const reversed = latestPoint(null, columnsOf(points.toReversed()), 0);
        expect(inTwo).toEqual(latestPoint(null, columns, 0));
        expect(reversed).toEqual(points.toSorted(comparePoints).at(-1));
      },
    ),
  );
});
