// The tracker over the wire: points a second, each batch acknowledged only when it is durable, and a
// chart of a series of a million points.

import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "../../src/rpc/client.ts";
import type { MetricBatch } from "../../src/rpc/gen/trainyard/v1/MetricBatch.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { startScheduler } from "./daemon.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const RUNS = 8;
const METRICS = 10;
const BATCHES = 60;
const POINTS_PER_BATCH = 1_000;
const LONG_SERIES = 1_000_000;
const LONG_BATCH = 10_000;
const QUERIES = 15;
const CHART_POINTS = 1_000;
const tracker = decodeService("TrackerService");

export const trackerBench: Bench = {
  name: "tracker",
  summary: "durable points a second; a chart of a million points",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const { connection } = await startScheduler(stage, { dir: await stage.tempDir() });
  await reportIngest(connection);
  await fillLongSeries(connection);
  await pause(500);
  await reportQuery(connection);
}

async function reportIngest(connection: Connection): Promise<void> {
  const runs = Array.from({ length: RUNS }, (_, n) => `bench-${n}`);
  for (const run of runs) await createRun(connection, run);
  const startedMs = performance.now();
  const shape = { metrics: METRICS, batches: BATCHES, points: POINTS_PER_BATCH };
  await Promise.all(runs.map((run) => ingest(connection, batchesOf(run, shape))));
  const seconds = (performance.now() - startedMs) / 1_000;
  report({
    bench: "metric points stored durably, 8 streams",
    value: (RUNS * BATCHES * POINTS_PER_BATCH) / seconds,
    unit: "1/s",
    details: { series: RUNS * METRICS, pointsPerBatch: POINTS_PER_BATCH },
  });
}

async function fillLongSeries(connection: Connection): Promise<void> {
  await createRun(connection, "long");
  const shape = { metrics: 1, batches: LONG_SERIES / LONG_BATCH, points: LONG_BATCH };
  await ingest(connection, batchesOf("long", shape));
}

async function reportQuery(connection: Connection): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < QUERIES; n += 1) {
    const query = { runId: "long", metric: "metric-0", points: CHART_POINTS };
    const startedMs = performance.now();
    const { total } = await connection.unary(tracker.QueryMetric, query);
    times.push(performance.now() - startedMs);
    if (total !== LONG_SERIES) throw new Error(`the series has ${total} points`);
  }
  report({
    bench: "a chart of 1,000 points out of 1,000,000, p50",
    value: median(times),
    unit: "ms",
    details: { p90: quantile(times, 0.9), queries: QUERIES },
  });
}

async function createRun(connection: Connection, runId: string): Promise<void> {
  await connection.unary(tracker.CreateRun, { requestId: `create-${runId}`, runId, name: runId });
}

interface Shape {
  readonly metrics: number;
  readonly batches: number;
  readonly points: number;
}

/** What one task writes: at each step a point of every metric. */
function* batchesOf(runId: string, { metrics, batches, points }: Shape): Iterable<MetricBatch> {
  const names = Array.from({ length: metrics }, (_, n) => `metric-${n}`);
  const startMs = Date.now();
  for (let batch = 0; batch < batches; batch += 1) {
    const ordinals = Array.from({ length: points }, (_, n) => batch * points + n);
    yield {
      runId,
      source: `${runId}/1/0`,
      fromPosition: batch * points,
      toPosition: (batch + 1) * points,
      attempt: 1,
      metrics: names,
      points: {
        metric: ordinals.map((n) => n % metrics),
        step: ordinals.map((n) => Math.floor(n / metrics)),
        timestampMs: ordinals.map((n) => startMs + n),
        value: ordinals.map((n) => Math.sin(n / 1_000) + 1 / (1 + n)),
      },
    };
  }
}

/** Sends as fast as the server takes it; resolves when the last batch was acknowledged. */
async function ingest(connection: Connection, batches: Iterable<MetricBatch>): Promise<void> {
  const stream = connection.bidiStream(tracker.IngestMetrics);
  const sending = (async () => {
    for (const batch of batches) await stream.send(batch);
    stream.end();
  })();
  for await (const { error } of stream) if (error !== "") throw new Error(error);
  await sending;
}
