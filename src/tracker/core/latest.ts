// Which point of a series is its latest: MLflow's rule, the greatest (step, timestamp, value).

import type { Point, PointColumns } from "./points.ts";

/** A total order, so that the latest never depends on the order of arrival. */
export function comparePoints(a: Point, b: Point): number {
  if (a.step !== b.step) return a.step - b.step;
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs;
  return compareValues(a.value, b.value);
}

/** NaN is below every number, so that a number logged twice for a step wins; -0 is below 0. */
export function compareValues(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a)) return -1;
  if (Number.isNaN(b)) return 1;
  if (a === b) return Object.is(a, -0) ? -1 : 1;
  return a < b ? -1 : 1;
}

/** The latest of `before` and the points from index `from` on. */
export function latestPoint(
  before: Point | null,
  points: PointColumns,
  from: number,
): Point | null {
  let best = before;
  for (let i = from; i < points.length; i++) {
    const step = points.step[i] ?? 0;
    if (best !== null && step < best.step) continue;
    const point = pointAt(points, i);
    if (best === null || comparePoints(point, best) > 0) best = point;
  }
  return best;
}

function pointAt(points: PointColumns, i: number): Point {
  return {
    step: points.step[i] ?? 0,
    timestampMs: points.timestampMs[i] ?? 0,
    value: points.value[i] ?? 0,
  };
}
