// A batch of points as it came over the wire, and whether it can be taken. Owns the checks only.

import { refuse, type Refusal } from "../../base/errors.ts";
import { checkName, POINTS_PER_BATCH_MAX, RUN_ID_CHARS_MAX, SOURCE_CHARS_MAX } from "./limits.ts";

/** Parallel columns: point i belongs to `metrics[metric[i]]`. */
export interface RawPoints {
  readonly metric: readonly number[];
  readonly step: readonly number[];
  readonly timestampMs: readonly number[];
  readonly value: readonly number[];
}

/** Points without a source: logged by a client that counts nothing. */
export interface PointsBatch {
  readonly runId: string;
  readonly metrics: readonly string[];
  readonly points: RawPoints;
}

/** Points that cover positions [from, to) of their source. */
export interface SourceBatch extends PointsBatch {
  readonly attempt: number;
  readonly source: string;
  readonly fromPosition: number;
  readonly toPosition: number;
}

/** Null when the positions can be trusted: what else is wrong then costs the points, not the place. */
export function checkPositions(batch: SourceBatch): Refusal | null {
  const refusal = checkName("source", batch.source, SOURCE_CHARS_MAX);
  if (refusal !== null) return refusal;
  const { fromPosition: from, toPosition: to } = batch;
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to)
    return null;
  const message = `positions [${from}, ${to}) of source ${batch.source} are no range.`;
  return refuse("INVALID_SPEC", message, "Use 0 <= from_position <= to_position.", "from_position");
}

/**
 * Null when the batch is sound. Names of metrics are checked one by one when their points are
 * stored: one that a script made too long must not cost the batch's other points.
 */
export function checkPoints(batch: PointsBatch): Refusal | null {
  return (
    checkName("run_id", batch.runId, RUN_ID_CHARS_MAX) ??
    checkLengths(batch.points) ??
    checkIndexes(batch) ??
    checkIntegers(batch)
  );
}

export function checkAttempt(attempt: number): Refusal | null {
  if (Number.isSafeInteger(attempt) && attempt >= 0) return null;
  return refuse("INVALID_SPEC", `attempt is ${attempt}.`, "Count attempts from 0 up.", "attempt");
}

function checkLengths(points: RawPoints): Refusal | null {
  const { metric, step, timestampMs, value } = points;
  const lengths = [metric.length, step.length, timestampMs.length, value.length];
  if (new Set(lengths).size > 1) {
    const message = `metric, step, timestamp_ms and value have ${lengths.join(", ")} entries.`;
    return refuse("INVALID_SPEC", message, "Give each point an entry in each.", "points");
  }
  if (value.length <= POINTS_PER_BATCH_MAX) return null;
  const message = `points has ${value.length} entries.`;
  return refuse("TOO_LARGE", message, `Send at most ${POINTS_PER_BATCH_MAX} at once.`, "points");
}

function checkIndexes(batch: PointsBatch): Refusal | null {
  const known = batch.metrics.length;
  const unknown = batch.points.metric.find((index) => batch.metrics[index] === undefined);
  if (unknown === undefined) return null;
  const message = `points.metric has ${unknown}, and metrics has ${known} entries.`;
  return refuse("INVALID_SPEC", message, "Use indexes into metrics.", "points.metric");
}

function checkIntegers(batch: PointsBatch): Refusal | null {
  const { step, timestampMs } = batch.points;
  const badStep = step.find((entry) => !Number.isSafeInteger(entry));
  if (badStep !== undefined) return notInteger("points.step", badStep);
  const badTime = timestampMs.find((entry) => !Number.isSafeInteger(entry));
  return badTime === undefined ? null : notInteger("points.timestamp_ms", badTime);
}

function notInteger(field: string, entry: number): Refusal {
  return refuse(
    "INVALID_SPEC",
    `${field} has ${entry}.`,
    "Use integers within ±(2^53 - 1).",
    field,
  );
}
