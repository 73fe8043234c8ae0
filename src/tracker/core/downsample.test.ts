import fc from "fast-check";
import { expect, test } from "vitest";
import { downsample } from "./downsample.ts";
import { anyPoint, columnsOf, lossCurve, rowsOf } from "../../../test/property/tracker-points.ts";
import type { Point } from "./points.ts";

const thin = (points: readonly Point[], pointsMax: number): readonly Point[] =>
  rowsOf(downsample(columnsOf(points), pointsMax));

function withValues(values: readonly number[]): readonly Point[] {
  return values.map((value, step) => ({ step, timestampMs: step, value }));
}

test("never more points than asked for, all of them real and in their order", () => {
  const points = fc.array(anyPoint, { minLength: 1, maxLength: 500, size: "max" });
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 300 }), (rows, pointsMax) => {
      const numbered = rows.map((row, step) => ({ ...row, step }));
      const kept = thin(numbered, pointsMax);
      expect(kept.length).toBeLessThanOrEqual(pointsMax);
      const steps = kept.map(({ step }) => step);
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      expect(kept).toEqual(steps.map((step) => numbered[step]));
    }),
  );
});

test("the first, the last, the smallest and the greatest value stay", () => {
  const values = fc.array(fc.double({ noNaN: true }), {
    minLength: 1,
    maxLength: 500,
    size: "max",
  });
  fc.assert(
    fc.property(values, fc.integer({ min: 4, max: 300 }), (all, pointsMax) => {
      const kept = thin(withValues(all), pointsMax).map(({ value }) => value);
      expect(kept[0]).toBe(all[0]);
      expect(kept.at(-1)).toBe(all.at(-1));
      expect(Math.min(...kept) + 0).toBe(Math.min(...all) + 0);
      expect(Math.max(...kept) + 0).toBe(Math.max(...all) + 0);
    }),
  );
});

test("one spike among a million points is still there", () => {
  const points = lossCurve(1_000_000).map((point, i) =>
    i === 654_321 ? { ...point, value: 99 } : point,
  );
  expect(thin(points, 1_000)).toContainEqual(points[654_321]);
});

test("a gap stays a gap", () => {
  const values = Array.from({ length: 1_000 }, (_, i) => (i >= 400 && i < 500 ? Number.NaN : i));
  const kept = thin(withValues(values), 60);
  const gap = kept.filter(({ value }) => Number.isNaN(value)).map(({ step }) => step);
  expect(gap[0]).toBe(400);
  expect(gap.length).toBeGreaterThan(1);
  expect(kept.length).toBeLessThanOrEqual(60);
});

test("one absurd step does not squeeze the rest together", () => {
  const points = [...lossCurve(1_000), { step: 2 ** 53 - 1, timestampMs: 0, value: 0 }];
  expect(thin(points, 100).length).toBeGreaterThan(90);
});

test("few points stay as they are; one point asked for is the last", () => {
  const points = lossCurve(10);
  expect(thin(points, 10)).toEqual(points);
  expect(thin(points, 1)).toEqual(points.slice(-1));
  expect(thin(points, 2)).toEqual([points[0], points[9]]);
  expect(thin([], 5)).toEqual([]);
});
