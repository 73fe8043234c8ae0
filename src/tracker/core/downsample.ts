// Fewer points with the same look: the min-max aggregation of U. Jugel et al., "M4: A
// Visualization-Oriented Time Series Data Aggregation", VLDB 2014, here with the first and last
// point kept once for the whole series instead of once per bucket.
//
// The buckets hold equal numbers of points, not equal ranges of steps: one absurd step would
// otherwise squeeze everything else into one bucket. A bucket with a NaN also keeps its first NaN,
// so that a gap stays a gap.

import { compareValues } from "./latest.ts";
import { type PointColumns, pickPoints } from "./points.ts";

/**
 * At most `pointsMax` (>= 1) of the points, in their order: the first and the last, and the extremes
 * of each bucket between them. One point alone is the last one.
 */
export function downsample(points: PointColumns, pointsMax: number): PointColumns {
  const { length } = points;
  if (length <= pointsMax) return points;
  if (pointsMax < 2) return pickPoints(points, [length - 1]);
  const picked = [0];
  const buckets = Math.floor((pointsMax - 2) / pointsPerBucket(points.value, length));
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = 1 + Math.floor((bucket * (length - 2)) / buckets);
    const to = 1 + Math.floor(((bucket + 1) * (length - 2)) / buckets);
    picked.push(...extremes(points.value, from, to));
  }
  picked.push(length - 1);
  return pickPoints(points, picked);
}

function pointsPerBucket(values: Float64Array, length: number): 2 | 3 {
  for (let i = 0; i < length; i++) if (Number.isNaN(values[i])) return 3;
  return 2;
}

/** Indexes of the smallest and the greatest number and of the first NaN, ascending. */
function extremes(values: Float64Array, from: number, to: number): readonly number[] {
  let min = -1;
  let max = -1;
  let gap = -1;
  for (let i = from; i < to; i++) {
    const value = values[i] ?? 0;
    if (Number.isNaN(value)) {
      if (gap < 0) gap = i;
      continue;
    }
    if (min < 0 || value < (values[min] ?? 0)) min = i;
    if (max < 0 || value > (values[max] ?? 0)) max = i;
  }
  const kept = [...new Set([min, max, gap])].filter((index) => index >= 0);
  return kept.sort(compareValues);
}
