// A tracker on a real LMDB folder for tests, with a clock that stands still until it is moved.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SourceBatch } from "../../src/tracker/core/batch.ts";
import type { Point } from "../../src/tracker/core/points.ts";
import { Tracker, type TrackerOptions } from "../../src/tracker/tracker.ts";

export class TrackerWorld {
  readonly folder = mkdtempSync(join(tmpdir(), "trainyard-tracker-"));
  nowMs = 1_700_000_000_000;
  #ids = 0;
  #requests = 0;
  #tracker: Tracker | null = null;

  get tracker(): Tracker {
    if (this.#tracker === null) throw new Error("the tracker is not open");
    return this.#tracker;
  }

  async open(options: Partial<TrackerOptions> = {}): Promise<Tracker> {
    this.#tracker = await Tracker.open({
      folder: this.folder,
      clock: { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      ids: () => `run-${++this.#ids}`,
      ...options,
    });
    return this.#tracker;
  }

  async close(): Promise<void> {
    await this.#tracker?.close();
    this.#tracker = null;
  }

  async reopen(): Promise<Tracker> {
    await this.close();
    return this.open();
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  requestId(): string {
    return `request-${++this.#requests}`;
  }
}

export interface BatchOf {
  readonly from: number;
  readonly to: number;
  readonly points: readonly Point[];
  readonly runId?: string;
  readonly attempt?: number;
  readonly metric?: string;
  readonly source?: string;
}

/** A batch with points of one metric. */
export function batchOf(batch: BatchOf): SourceBatch {
  const { runId = "job-1", attempt = 1, metric = "loss" } = batch;
  return {
    runId,
    attempt,
    source: batch.source ?? `${runId}/${attempt}/0`,
    fromPosition: batch.from,
    toPosition: batch.to,
    metrics: [metric],
    points: {
      metric: batch.points.map(() => 0),
      step: batch.points.map(({ step }) => step),
      timestampMs: batch.points.map(({ timestampMs }) => timestampMs),
      value: batch.points.map(({ value }) => value),
    },
  };
}

/** All current points of a metric. */
export async function currentPoints(
  tracker: Tracker,
  runId = "job-1",
  metric = "loss",
): Promise<readonly Point[]> {
  const found = await tracker.queryMetric({
    runId,
    metric,
    fromStep: null,
    toStep: null,
    points: 100_000,
    includeSuperseded: false,
  });
  if ("kind" in found) throw new Error(found.message);
  const { step, timestampMs, value, length } = found.points;
  return Array.from({ length }, (_, i) => ({
    step: step[i] ?? 0,
    timestampMs: timestampMs[i] ?? 0,
    value: value[i] ?? 0,
  }));
}
