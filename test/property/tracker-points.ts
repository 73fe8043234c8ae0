// Points for tests: columns from rows and back, and arbitrary ones that try the corners of doubles.

import fc from "fast-check";
import { type Point, PointBuffer, type PointColumns } from "../../src/tracker/core/points.ts";

export function columnsOf(points: readonly Point[]): PointBuffer {
  const columns = new PointBuffer(points.length);
  for (const { step, timestampMs, value } of points) columns.push(step, timestampMs, value);
  return columns;
}

export function rowsOf(columns: PointColumns): readonly Point[] {
  return Array.from({ length: columns.length }, (_, i) => ({
    step: columns.step[i] ?? 0,
    timestampMs: columns.timestampMs[i] ?? 0,
    value: columns.value[i] ?? 0,
  }));
}

/** A loss as a training script would log it: one point a step, about a second apart. */
export function lossCurve(steps: number, firstStep = 0): readonly Point[] {
  return Array.from({ length: steps }, (_, i) => ({
    step: firstStep + i,
    timestampMs: 1_700_000_000_000 + (firstStep + i) * 997 + ((i * 7_919) % 13),
    value: 1 / (1 + firstStep + i),
  }));
}

const special = fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 5e-324, Number.MAX_VALUE);

export const anyValue = fc.oneof(fc.double(), fc.float(), special);

/** Safe integers, never -0: what the checks at the edge let through. */
export const anyInteger = fc
  .oneof(fc.maxSafeInteger(), fc.integer({ min: -1_000, max: 1_000 }), fc.integer())
  .map((integer) => integer + 0);

export const anyPoint: fc.Arbitrary<Point> = fc.record({
  step: anyInteger,
  timestampMs: anyInteger,
  value: anyValue,
});
