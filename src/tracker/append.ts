// Operations that add points, as functions on a unit of work: a source's batch (exactly once), and a
// client's points (once per request id).
//
// A batch whose run nobody has announced yet makes the run itself, with nothing but its id: metrics
// may be faster than the news of the job, and must not be lost or held for it. Whoever announces the
// run then fills in the rest (run-ops.ts).

import { refuse, type Refusal } from "../base/errors.ts";
import { DAY_MS } from "../base/time.ts";
import {
  checkAttempt,
  checkPoints,
  checkPositions,
  type PointsBatch,
  type SourceBatch,
} from "./core/batch.ts";
import { ATTEMPTS_PER_SERIES_MAX, checkName, METRICS_PER_RUN_MAX } from "./core/limits.ts";
import type { PointBuffer } from "./core/points.ts";
import { placeBatch } from "./core/position.ts";
import { type Run, runNotFound } from "./core/run.ts";
import { newRun } from "./run-ops.ts";
import type { Unit } from "./unit.ts";

/** What the sender is told about a batch. */
export interface Ack {
  readonly source: string;
  /** Stored durably up to here: where the sender goes on. */
  readonly position: number;
  /** Not empty: points that were dropped for good, and why. The position is past them. */
  readonly error: string;
}

/**
 * How long after its run's end a source may still send. Then how far it came is forgotten, and whatever
 * it sends is dropped: from the start again, it would be stored twice.
 */
const SENT_WITHIN_MS = 7 * DAY_MS;
const CLOSED = "its run ended more than 7 days ago, and takes no more.";
/** With each source that is new: more go than come, and no commit has much to do for it. */
const SOURCES_LOOKED_AT = 10;

/** Stores a source's batch, or says from where the source is to go on. */
export function storeBatch(unit: Unit, batch: SourceBatch): Ack {
  const misplaced = checkPositions(batch);
  if (misplaced !== null) return { source: batch.source, position: 0, error: sentence(misplaced) };
  const { source, fromPosition, toPosition } = batch;
  const stored = unit.position(source);
  if (stored === 0) {
    unit.forgetSources(SOURCES_LOOKED_AT, (other) => isClosed(unit, other));
    if (isClosed(unit, source)) return { source, position: toPosition, error: CLOSED };
  }
  if (placeBatch(stored, fromPosition, toPosition) !== "store") {
    return { source, position: stored, error: "" };
  }
  unit.setPosition(source, toPosition);
  const refusal = checkAttempt(batch.attempt) ?? checkPoints(batch);
  const error = refusal === null ? storePoints(unit, batch) : sentence(refusal);
  return { source, position: toPosition, error };
}

/** Stores all points of a known run, or refuses all of them. */
export function storeClientPoints(unit: Unit, batch: PointsBatch): Refusal | null {
  const run = unit.run(batch.runId);
  if (run === null) return runNotFound(batch.runId);
  const refusal = checkPoints(batch);
  if (refusal !== null) return refusal;
  const targets = new Targets(unit, run, run.attempt);
  const refused = targets.refusalOfAny(batch.metrics);
  if (refused === null) pushPoints(targets, batch);
  return refused;
}

function storePoints(unit: Unit, batch: SourceBatch): string {
  const run = unit.run(batch.runId) ?? announceRun(unit, batch.runId);
  const { dropped, refusal } = pushPoints(new Targets(unit, run, batch.attempt), batch);
  if (refusal === null) return "";
  return `${dropped} of ${batch.points.value.length} points dropped: ${sentence(refusal)}`;
}

/** A source is named after its run: `<run id>/<attempt>/<rank>`. */
function isClosed(unit: Unit, source: string): boolean {
  const endedAtMs = unit.run(source.split("/", 1)[0] ?? "")?.endedAtMs ?? null;
  return endedAtMs !== null && endedAtMs < unit.nowMs - SENT_WITHIN_MS;
}

function announceRun(unit: Unit, id: string): Run {
  const run = newRun({ id, no: unit.nextRunNo(), origin: "metrics", nowMs: unit.nowMs });
  unit.putRun(run);
  return run;
}

interface Pushed {
  readonly dropped: number;
  /** Why the first of the dropped ones was. */
  readonly refusal: Refusal | null;
}

function pushPoints(targets: Targets, batch: PointsBatch): Pushed {
  const { metric, step, timestampMs, value } = batch.points;
  let dropped = 0;
  let refusal: Refusal | null = null;
  for (let i = 0; i < value.length; i++) {
    const target = targets.of(metric[i] ?? 0, batch.metrics);
    if ("kind" in target) {
      dropped += 1;
      refusal ??= target;
      continue;
    }
    // Adding 0 makes -0 a 0: a step is an integer, and a chunk keeps differences of integers.
    target.push((step[i] ?? 0) + 0, (timestampMs[i] ?? 0) + 0, value[i] ?? 0);
  }
  return { dropped, refusal };
}

/** Where the points of each metric of a batch go; looked up once per metric. */
class Targets {
  readonly #unit: Unit;
  readonly #attempt: number;
  readonly #byIndex: (PointBuffer | Refusal | undefined)[] = [];
  #run: Run;

  constructor(unit: Unit, run: Run, attempt: number) {
    this.#unit = unit;
    this.#run = run;
    this.#attempt = attempt;
  }

  of(index: number, metrics: readonly string[]): PointBuffer | Refusal {
    const known = this.#byIndex[index];
    if (known !== undefined) return known;
    const metric = metrics[index] ?? "";
    const target = this.#refusal(metric, 0) ?? this.#open(metric);
    this.#byIndex[index] = target;
    return target;
  }

  /** Null when points of all the metrics can be stored. */
  refusalOfAny(metrics: readonly string[]): Refusal | null {
    const made = new Set<string>();
    for (const metric of metrics) {
      const refusal = this.#refusal(metric, made.size);
      if (refusal !== null) return refusal;
      if (this.#unit.series(this.#run.no, metric) === null) made.add(metric);
    }
    return null;
  }

  /** `others`: how many new metrics are made before this one. */
  #refusal(metric: string, others: number): Refusal | null {
    const badName = checkName("metrics", metric);
    if (badName !== null) return badName;
    const series = this.#unit.series(this.#run.no, metric);
    if (series === null) {
      const count = this.#run.metrics + others;
      return count < METRICS_PER_RUN_MAX ? null : tooManyMetrics(this.#run.id, metric);
    }
    const isFull = series.attempts() >= ATTEMPTS_PER_SERIES_MAX;
    return isFull && !series.hasAttempt(this.#attempt) ? tooManyAttempts(this.#run.id) : null;
  }

  #open(metric: string): PointBuffer {
    const known = this.#unit.series(this.#run.no, metric);
    if (known !== null) return known.points(this.#attempt);
    this.#run = { ...this.#run, metrics: this.#run.metrics + 1 };
    this.#unit.putRun(this.#run);
    return this.#unit.createSeries(this.#run.no, metric).points(this.#attempt);
  }
}

function tooManyMetrics(runId: string, metric: string): Refusal {
  const message = `run ${runId} has ${METRICS_PER_RUN_MAX} metrics; ${JSON.stringify(metric)} is new.`;
  const remedy = "Log fewer names: put what varies (a layer, a sample) into the step or a file.";
  return refuse("TOO_LARGE", message, remedy, "metrics");
}

function tooManyAttempts(runId: string): Refusal {
  const message = `run ${runId} has points of ${ATTEMPTS_PER_SERIES_MAX} attempts.`;
  return refuse("TOO_LARGE", message, "Start a new run.", "attempt");
}

function sentence(refusal: Refusal): string {
  return `${refusal.message} ${refusal.remedy}`;
}
