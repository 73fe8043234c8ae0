// The tracker: runs with their params, tags and metric series, in one LMDB folder. This class is its
// whole interface, with or without gRPC in front of it; every write is durable before it resolves.
//
// Expected "no"s are returned as refusals. What is thrown is a fault of the store or the queue.

import { type Refusal, refuse } from "../base/errors.ts";
import type { IdSource } from "../base/ids.ts";
import type { Clock } from "../base/time.ts";
import { type Ack, storeBatch, storeClientPoints } from "./append.ts";
import type { PointsBatch, SourceBatch } from "./core/batch.ts";
import {
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  QUERY_POINTS_DEFAULT,
  QUERY_POINTS_MAX,
  shorten,
} from "./core/limits.ts";
import type { Point } from "./core/points.ts";
import { type Run, type RunChange, runNotFound } from "./core/run.ts";
import { seriesLatest } from "./core/series.ts";
import { querySeries, type SeriesPoints, type SeriesRange } from "./query.ts";
import {
  abandonRun,
  createRun,
  followJob,
  type JobState,
  once,
  type RunCreation,
  updateRun,
} from "./run-ops.ts";
import { TrackerStore } from "./store.ts";
import type { Unit } from "./unit.ts";
import { type TrackerCrashPoint, Writer } from "./writer.ts";

export interface TrackerOptions {
  /** Made when it is not there; one process at a time. */
  readonly folder: string;
  readonly clock: Clock;
  /** Draws ids for runs that are made without one. */
  readonly ids: IdSource;
  /** Called after each durable commit: how long it took and how many points it stored. */
  readonly onCommit?: (seconds: number, points: number) => void;
  /** Called with each batch of a source once it is durable; a repeated one too. */
  readonly onBatch?: (batch: SourceBatch) => void;
  /** For tests that end the process at a place of their choice. */
  readonly crashPoint?: (point: TrackerCrashPoint) => void;
}

export interface RunView {
  readonly run: Run;
  /** Names of metrics that have points; in lists the first `METRICS_LISTED_MAX`. */
  readonly metrics: readonly string[];
}

export interface RunPage {
  readonly runs: readonly RunView[];
  /** Empty on the last page. */
  readonly nextToken: string;
}

export interface RunQuery {
  /** Empty = all. */
  readonly experiment: string;
  /** 0 = 100; more than 1000 counts as 1000. */
  readonly pageSize: number;
  /** `nextToken` of the page before; empty = from the newest. */
  readonly pageToken: string;
}

export interface MetricQuery extends Omit<SeriesRange, "pointsMax"> {
  readonly runId: string;
  readonly metric: string;
  /** 0 = 1000; at most 100000. */
  readonly points: number;
}

export interface LatestMetric {
  readonly metric: string;
  readonly point: Point;
}

export interface TrackerStats {
  readonly sizeBytes: number;
  /** Points that wait to be written. */
  readonly waitingPoints: number;
}

export const METRICS_LISTED_MAX = 100;
/** Jobs that one operation brings up to date: bounds how long it holds up the others. */
const JOBS_AT_ONCE = 200;

export class Tracker {
  readonly #store: TrackerStore;
  readonly #writer: Writer;
  readonly #ids: IdSource;
  readonly #onBatch: (batch: SourceBatch) => void;

  private constructor(store: TrackerStore, options: TrackerOptions) {
    this.#store = store;
    this.#ids = options.ids;
    this.#onBatch = options.onBatch ?? (() => undefined);
    this.#writer = new Writer({
      store,
      nowMs: () => options.clock.nowMs(),
      crashPoint: options.crashPoint ?? (() => undefined),
      onCommit: options.onCommit ?? (() => undefined),
    });
  }

  /** Throws `DATA_FOLDER_IN_USE`, `DATA_FORMAT_UNKNOWN` or `DATA_NOT_WRITTEN`. */
  static async open(options: TrackerOptions): Promise<Tracker> {
    return new Tracker(await TrackerStore.open(options.folder), options);
  }

  /** Writes what was submitted, then closes the folder. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#store.close();
  }

  /** Makes a run, or returns the one of that id as it is. */
  createRun(requestId: string, creation: RunCreation): Promise<RunView | Refusal> {
    const { id, experiment, name, params, tags } = creation;
    const content = ["create", id, experiment, name, [...params], [...tags]];
    return this.#changeRun({ id: requestId, content }, (unit) =>
      createRun(unit, { ...creation, id: id === "" ? this.#ids() : id }),
    );
  }

  updateRun(requestId: string, runId: string, change: RunChange): Promise<RunView | Refusal> {
    const content = ["update", runId, change.status, [...change.params], [...change.tags]];
    return this.#changeRun({ id: requestId, content }, (unit) => updateRun(unit, runId, change));
  }

  getRun(runId: string): RunView | Refusal {
    const run = this.#store.run(runId);
    return run === null ? runNotFound(runId) : this.#view(run);
  }

  /** Newest first. */
  listRuns(query: RunQuery): RunPage | Refusal {
    const size = pageSize(query.pageSize);
    if (typeof size !== "number") return size;
    const beforeNo = query.pageToken === "" ? Number.MAX_SAFE_INTEGER : parseToken(query.pageToken);
    if (typeof beforeNo !== "number") return beforeNo;
    const found = this.#store.listRuns(query.experiment || null, beforeNo, size + 1);
    const runs = found.slice(0, size);
    const nextToken = found.length > size ? String(runs.at(-1)?.no ?? "") : "";
    return { runs: runs.map((run) => this.#view(run, METRICS_LISTED_MAX)), nextToken };
  }

  /** Resolves when another batch may be sent without waiting in memory. */
  space(): Promise<void> {
    return this.#writer.space();
  }

  /** Stores points exactly once, or says where their source is to go on. Durable when it resolves. */
  async storeBatch(batch: SourceBatch): Promise<Ack> {
    const points = batch.points.value.length;
    const ack = await this.#writer.submit(points, (unit) => storeBatch(unit, batch));
    if (ack.error === "") this.#onBatch(batch);
    return ack;
  }

  /** Stores all points or none. Null when they are stored, now or by an earlier call of this id. */
  async logMetrics(requestId: string, batch: PointsBatch): Promise<Refusal | null> {
    const result = await this.#writer.submit(batch.points.value.length, (unit) =>
      once(unit, { id: requestId, content: ["log", batch] }, () => {
        const refusal = storeClientPoints(unit, batch);
        return refusal ?? unit.run(batch.runId) ?? runNotFound(batch.runId);
      }),
    );
    return "kind" in result ? result : null;
  }

  async queryMetric(query: MetricQuery): Promise<SeriesPoints | Refusal> {
    const pointsMax = queryPoints(query.points);
    if (typeof pointsMax !== "number") return pointsMax;
    const run = this.#store.run(query.runId);
    if (run === null) return runNotFound(query.runId);
    const head = this.#store.series(run.no, query.metric);
    if (head === null) return this.#metricNotFound(run, query.metric);
    return querySeries(this.#store, head, { ...query, pointsMax });
  }

  /** In the order of the metrics' names. */
  latestMetrics(runId: string): readonly LatestMetric[] | Refusal {
    const run = this.#store.run(runId);
    if (run === null) return runNotFound(runId);
    return this.#store.seriesOfRun(run.no).flatMap(({ metric, head }) => {
      const point = seriesLatest(head);
      return point === null ? [] : [{ metric, point }];
    });
  }

  /** 0 = nothing stored. */
  sourcePosition(source: string): number {
    return this.#store.position(source);
  }

  /** Brings the jobs' runs to where the jobs are; makes those that are missing. */
  async followJobs(jobs: readonly JobState[]): Promise<void> {
    for (let from = 0; from < jobs.length; from += JOBS_AT_ONCE) {
      const some = jobs.slice(from, from + JOBS_AT_ONCE);
      await this.#writer.submit(some.length, (unit) => {
        for (const job of some) followJob(unit, job);
      });
    }
  }

  /** Ids of runs whose job has not ended, as far as the tracker knows. */
  openJobRuns(): readonly string[] {
    return this.#store.openJobRuns();
  }

  /** Marks runs as killed whose jobs are not known any more. */
  async abandonRuns(runIds: readonly string[]): Promise<void> {
    await this.#writer.submit(runIds.length, (unit) => {
      for (const runId of runIds) abandonRun(unit, runId);
    });
  }

  stats(): TrackerStats {
    return { sizeBytes: this.#store.sizeBytes(), waitingPoints: this.#writer.waitingPoints() };
  }

  async #changeRun(
    request: { readonly id: string; readonly content: unknown },
    act: (unit: Unit) => Run | Refusal,
  ): Promise<RunView | Refusal> {
    const result = await this.#writer.submit(1, (unit) => once(unit, request, () => act(unit)));
    return "kind" in result ? result : this.#view(result);
  }

  #view(run: Run, metricsMax = Infinity): RunView {
    const metrics = run.metrics === 0 ? [] : this.#store.metricsOfRun(run.no, metricsMax);
    return { run, metrics };
  }

  #metricNotFound(run: Run, metric: string): Refusal {
    const known = this.#store.metricsOfRun(run.no, 10);
    const remedy =
      known.length === 0 ? "It has none yet." : `It has ${known.map(shorten).join(", ")}.`;
    const message = `run ${run.id} has no points of metric ${JSON.stringify(shorten(metric))}.`;
    return refuse("METRIC_NOT_FOUND", message, remedy, "metric");
  }
}

function pageSize(asked: number): number | Refusal {
  if (Number.isInteger(asked) && asked >= 0)
    return Math.min(asked || PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const remedy = `Use 1 to ${PAGE_SIZE_MAX}, or 0 for ${PAGE_SIZE_DEFAULT}.`;
  return refuse("INVALID_SPEC", `page_size is ${asked}.`, remedy, "page_size");
}

function parseToken(token: string): number | Refusal {
  if (/^\d{1,15}$/.test(token)) return Number(token);
  const message = `page_token ${JSON.stringify(shorten(token))} is none of this server's.`;
  return refuse("INVALID_SPEC", message, "Take it from the page before.", "page_token");
}

function queryPoints(asked: number): number | Refusal {
  if (Number.isInteger(asked) && asked >= 0 && asked <= QUERY_POINTS_MAX) {
    return asked || QUERY_POINTS_DEFAULT;
  }
  const remedy = `Use 1 to ${QUERY_POINTS_MAX}, or 0 for ${QUERY_POINTS_DEFAULT}.`;
  return refuse("INVALID_SPEC", `points is ${asked}.`, remedy, "points");
}
