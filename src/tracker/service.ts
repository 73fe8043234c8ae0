// TrackerService over gRPC: decodes, calls the tracker, encodes. Decides nothing.

import type { MetricBatch__Output } from "../rpc/gen/trainyard/v1/MetricBatch.ts";
import type { Points__Output } from "../rpc/gen/trainyard/v1/Points.ts";
import type { QueryMetricResponse } from "../rpc/gen/trainyard/v1/QueryMetricResponse.ts";
import type { Run as RunMessage } from "../rpc/gen/trainyard/v1/Run.ts";
import type { TrackerServiceHandlers } from "../rpc/gen/trainyard/v1/TrackerService.ts";
import { bidiStream, unary } from "../rpc/handlers.ts";
import { isRefusal } from "../rpc/status.ts";
import type { RawPoints, SourceBatch } from "./core/batch.ts";
import { parseStatus } from "./core/run.ts";
import { ingest } from "./ingest.ts";
import type { SeriesPoints } from "./query.ts";
import type { RunView, Tracker } from "./tracker.ts";

export function trackerService(tracker: Tracker): TrackerServiceHandlers {
  return {
    CreateRun: unary(async (request, { caller }) => {
      const created = await tracker.createRun(request.requestId, {
        id: request.runId,
        experiment: request.experiment,
        name: request.name,
        owner: caller,
        params: decodePairs(request.params),
        tags: decodePairs(request.tags),
      });
      return isRefusal(created) ? created : { run: encodeRun(created) };
    }),

    UpdateRun: unary(async (request) => {
      const status = request.status === "" ? null : parseStatus(request.status);
      if (isRefusal(status)) return status;
      const params = decodePairs(request.params);
      const change = { status, params, tags: decodePairs(request.tags) };
      const updated = await tracker.updateRun(request.requestId, request.runId, change);
      return isRefusal(updated) ? updated : { run: encodeRun(updated) };
    }),

    GetRun: unary(async (request) => {
      const found = tracker.getRun(request.runId);
      return isRefusal(found) ? found : { run: encodeRun(found) };
    }),

    ListRuns: unary(async (request) => {
      const page = tracker.listRuns(request);
      return isRefusal(page) ? page : { runs: page.runs.map(encodeRun), nextToken: page.nextToken };
    }),

    IngestMetrics: bidiStream(async (batches, acks) => {
      for await (const ack of ingest(decodeBatches(batches), tracker)) await acks.send(ack);
      return undefined;
    }),

    LogMetrics: unary(async ({ requestId, runId, metrics, points }) => {
      const batch = { runId, metrics, points: decodePoints(points) };
      return (await tracker.logMetrics(requestId, batch)) ?? {};
    }),

    QueryMetric: unary(async (request) => {
      const found = await tracker.queryMetric({
        runId: request.runId,
        metric: request.metric,
        fromStep: request.fromStep ?? null,
        toStep: request.toStep ?? null,
        points: request.points,
        includeSuperseded: request.includeSuperseded,
      });
      return isRefusal(found) ? found : encodeSeries(found);
    }),

    LatestMetrics: unary(async (request) => {
      const found = tracker.latestMetrics(request.runId);
      if (isRefusal(found)) return found;
      return { metrics: found.map(({ metric, point }) => ({ name: metric, ...point })) };
    }),

    GetSourcePosition: unary(async ({ source }) => ({ position: tracker.sourcePosition(source) })),
  };
}

async function* decodeBatches(
  batches: AsyncIterable<MetricBatch__Output>,
): AsyncGenerator<SourceBatch, void, undefined> {
  for await (const { points, ...batch } of batches)
    yield { ...batch, points: decodePoints(points) };
}

const NO_POINTS: RawPoints = { metric: [], step: [], timestampMs: [], value: [] };

function decodePoints(points: Points__Output | null): RawPoints {
  return points ?? NO_POINTS;
}

function decodePairs(pairs: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(pairs));
}

function encodeRun({ run, metrics }: RunView): RunMessage {
  return {
    id: run.id,
    experiment: run.experiment,
    name: run.name,
    tenant: run.tenant,
    user: run.user,
    status: run.status,
    startedAt: encodeTime(run.startedAtMs),
    endedAt: encodeTime(run.endedAtMs),
    params: Object.fromEntries(run.params),
    tags: Object.fromEntries(run.tags),
    metrics: [...metrics],
  };
}

function encodeTime(timeMs: number | null): { seconds: number; nanos: number } | null {
  if (timeMs === null) return null;
  const seconds = Math.floor(timeMs / 1_000);
  return { seconds, nanos: (timeMs - seconds * 1_000) * 1_000_000 };
}

function encodeSeries({ points, total }: SeriesPoints): QueryMetricResponse {
  const { length } = points;
  return {
    step: [...points.step.subarray(0, length)],
    timestampMs: [...points.timestampMs.subarray(0, length)],
    value: [...points.value.subarray(0, length)],
    total,
  };
}
