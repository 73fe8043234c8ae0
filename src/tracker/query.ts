// Reads one series: which of its points are current, in the order of steps, thinned out to what a
// chart can show. Owns no data; pauses between slices, so that a series of a million points does not
// hold up the scheduler that lives in the same process.
//
// No roll-ups are kept: reading and thinning 1 M points took 17 to 37 ms on two shared cores, and a
// second copy of every series would cost writes on the path that matters.

import { setImmediate } from "node:timers/promises";
import { downsample } from "./core/downsample.ts";
import { PointBuffer, type PointColumns, pickPoints } from "./core/points.ts";
import type { AttemptHead, SeriesHead } from "./core/series.ts";
import { supersedeCuts } from "./core/supersede.ts";
import type { StepBounds, TrackerStore } from "./store.ts";

export interface SeriesRange {
  /** Inclusive; null = from the first. */
  readonly fromStep: number | null;
  /** Inclusive; null = to the last. */
  readonly toStep: number | null;
  readonly pointsMax: number;
  readonly includeSuperseded: boolean;
}

export interface SeriesPoints {
  readonly points: PointColumns;
  /** In the range, before thinning out. */
  readonly total: number;
}

/** Chunks read before other work gets its turn: about 2 ms. */
const CHUNKS_AT_ONCE = 256;

export async function querySeries(
  store: TrackerStore,
  head: SeriesHead,
  range: SeriesRange,
): Promise<SeriesPoints> {
  const found = await readRange(store, head, range);
  const sorted = isInOrder(found) ? found : inOrder(found);
  return { points: downsample(sorted, range.pointsMax), total: sorted.length };
}

/** Attempt by attempt, each in the order of arrival. */
async function readRange(
  store: TrackerStore,
  head: SeriesHead,
  range: SeriesRange,
): Promise<PointBuffer> {
  const cuts = supersedeCuts(head.attempts);
  const found = new PointBuffer(head.attempts.reduce((sum, { points }) => sum + points, 1));
  let read = 0;
  for (const [i, attempt] of head.attempts.entries()) {
    const bounds = boundsOf(range, cuts[i] ?? Infinity);
    if (attempt.stepMin > bounds.to || attempt.latest.step < bounds.from) continue;
    let left = attempt.points;
    for (let index = 0; index < attempt.chunks; index++) {
      const from = found.length;
      const id = { seriesNo: head.seriesNo, attempt: attempt.attempt, index };
      const count = store.readChunk(id, found, bounds);
      // What was appended after `head` was read is left out: the answer is of one moment.
      if (count > left) found.truncate(Math.min(found.length, from + left));
      left -= count;
      if (!isInside(attempt, bounds)) keepInside(found, from, bounds);
      read += 1;
      if (read % CHUNKS_AT_ONCE === 0) await setImmediate();
    }
  }
  return found;
}

/** Steps are integers, so what is below the cut ends one before it. */
function boundsOf(range: SeriesRange, cut: number): StepBounds {
  const to = range.toStep ?? Infinity;
  const isCut = !range.includeSuperseded;
  return { from: range.fromStep ?? -Infinity, to: isCut ? Math.min(to, cut - 1) : to };
}

function isInside(attempt: AttemptHead, bounds: StepBounds): boolean {
  return attempt.stepMin >= bounds.from && attempt.latest.step <= bounds.to;
}

/** Drops the points from index `from` on that lie outside. */
function keepInside(points: PointBuffer, from: number, bounds: StepBounds): void {
  const { step, timestampMs, value, length } = points;
  let kept = from;
  for (let i = from; i < length; i++) {
    const at = step[i] ?? 0;
    if (at < bounds.from || at > bounds.to) continue;
    step[kept] = at;
    timestampMs[kept] = timestampMs[i] ?? 0;
    value[kept] = value[i] ?? 0;
    kept += 1;
  }
  points.truncate(kept);
}

function isInOrder({ length, step, timestampMs }: PointColumns): boolean {
  for (let i = 1; i < length; i++) {
    const stepped = (step[i] ?? 0) - (step[i - 1] ?? 0);
    if (stepped < 0) return false;
    if (stepped === 0 && (timestampMs[i] ?? 0) < (timestampMs[i - 1] ?? 0)) return false;
  }
  return true;
}

/** By step, then time, then the order of attempts and arrival. */
function inOrder(points: PointColumns): PointColumns {
  const { step, timestampMs } = points;
  const order = Uint32Array.from({ length: points.length }, (_, i) => i);
  order.sort(
    (a, b) =>
      (step[a] ?? 0) - (step[b] ?? 0) || (timestampMs[a] ?? 0) - (timestampMs[b] ?? 0) || a - b,
  );
  return pickPoints(points, order);
}
