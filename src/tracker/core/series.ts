// The head of a series: what is known of it without reading its points. One small row per attempt,
// so that the latest value, the count and what is superseded cost one read however long it is.

import { assert } from "../../base/assert.ts";
import { Fault } from "../../base/errors.ts";
import { latestPoint } from "./latest.ts";
import type { Point, PointColumns } from "./points.ts";

export interface AttemptHead {
  readonly attempt: number;
  readonly points: number;
  readonly chunks: number;
  readonly stepMin: number;
  /** Of the points of this attempt; `latest.step` is its greatest step. */
  readonly latest: Point;
}

export interface SeriesHead {
  /** Names the series' chunks; never given twice. */
  readonly seriesNo: number;
  /** Ascending by number. */
  readonly attempts: readonly AttemptHead[];
}

/**
 * The newest attempt's latest point is the series' latest one: whatever earlier attempts have at or
 * above its first step is superseded, and its own greatest step is not below that.
 */
export function seriesLatest(head: SeriesHead): Point | null {
  return head.attempts.at(-1)?.latest ?? null;
}

/** The attempt's row after points from index `from` on were appended to it. */
export function extendAttempt(
  before: AttemptHead | null,
  attempt: number,
  points: PointColumns,
  from: number,
): AttemptHead {
  let stepMin = before?.stepMin ?? Infinity;
  for (let i = from; i < points.length; i++) {
    const step = points.step[i] ?? 0;
    if (step < stepMin) stepMin = step;
  }
  const latest = latestPoint(before?.latest ?? null, points, from);
  assert(latest !== null, "an attempt of a series has a point");
  const count = (before?.points ?? 0) + points.length - from;
  const chunks = before?.chunks ?? 0;
  return { attempt, points: count, chunks, stepMin, latest };
}

/** Puts the row in its place; the attempts stay in ascending order. */
export function withAttempt(head: SeriesHead, row: AttemptHead): SeriesHead {
  const others = head.attempts.filter((other) => other.attempt !== row.attempt);
  const at = others.findIndex((other) => other.attempt > row.attempt);
  return { ...head, attempts: others.toSpliced(at < 0 ? others.length : at, 0, row) };
}

const ROW_DOUBLES = 7;
const HEAD_BYTES = 8;

/**
 * Doubles throughout, little-endian: they hold NaN, -0 and every safe integer, which MessagePack
 * does not (it turns -0 into 0).
 */
export function encodeSeriesHead(head: SeriesHead): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + head.attempts.length * ROW_DOUBLES * 8);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, head.seriesNo, true);
  head.attempts.forEach((row, index) => {
    const { step, timestampMs, value } = row.latest;
    const doubles = [row.attempt, row.points, row.chunks, row.stepMin, step, timestampMs, value];
    const at = HEAD_BYTES + index * ROW_DOUBLES * 8;
    doubles.forEach((double, i) => view.setFloat64(at + i * 8, double, true));
  });
  return bytes;
}

export function decodeSeriesHead(bytes: Uint8Array): SeriesHead {
  const rows = (bytes.byteLength - HEAD_BYTES) / (ROW_DOUBLES * 8);
  if (!Number.isInteger(rows) || rows < 0) {
    const message = `the head of a metric series can't be read: ${bytes.byteLength} bytes`;
    throw new Fault("TRACKER_DATA_CORRUPT", message, { isRetryable: false });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attempts = Array.from({ length: rows }, (_, row) =>
    decodeRow(view, HEAD_BYTES + row * ROW_DOUBLES * 8),
  );
  return { seriesNo: view.getFloat64(0, true), attempts };
}

function decodeRow(view: DataView, at: number): AttemptHead {
  const double = (index: number): number => view.getFloat64(at + index * 8, true);
  return {
    attempt: double(0),
    points: double(1),
    chunks: double(2),
    stepMin: double(3),
    latest: { step: double(4), timestampMs: double(5), value: double(6) },
  };
}
