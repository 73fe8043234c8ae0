// TrackerService over gRPC: decodes, calls the tracker, encodes. Decides nothing.

import type { Refusal } from "../base/errors.ts";
import type { CreateRunRequest__Output } from "../rpc/gen/trainyard/v1/CreateRunRequest.ts";
import type { CreateRunResponse } from "../rpc/gen/trainyard/v1/CreateRunResponse.ts";
import type { GetRunRequest__Output } from "../rpc/gen/trainyard/v1/GetRunRequest.ts";
import type { GetRunResponse } from "../rpc/gen/trainyard/v1/GetRunResponse.ts";
import type { GetSourcePositionRequest__Output } from "../rpc/gen/trainyard/v1/GetSourcePositionRequest.ts";
import type { GetSourcePositionResponse } from "../rpc/gen/trainyard/v1/GetSourcePositionResponse.ts";
import type { LatestMetricsRequest__Output } from "../rpc/gen/trainyard/v1/LatestMetricsRequest.ts";
import type { LatestMetricsResponse } from "../rpc/gen/trainyard/v1/LatestMetricsResponse.ts";
import type { ListRunsRequest__Output } from "../rpc/gen/trainyard/v1/ListRunsRequest.ts";
import type { ListRunsResponse } from "../rpc/gen/trainyard/v1/ListRunsResponse.ts";
import type { LogMetricsRequest__Output } from "../rpc/gen/trainyard/v1/LogMetricsRequest.ts";
import type { LogMetricsResponse } from "../rpc/gen/trainyard/v1/LogMetricsResponse.ts";
import type { MetricAck } from "../rpc/gen/trainyard/v1/MetricAck.ts";
import type { MetricBatch__Output } from "../rpc/gen/trainyard/v1/MetricBatch.ts";
import type { Points__Output } from "../rpc/gen/trainyard/v1/Points.ts";
import type { QueryMetricRequest__Output } from "../rpc/gen/trainyard/v1/QueryMetricRequest.ts";
import type { QueryMetricResponse } from "../rpc/gen/trainyard/v1/QueryMetricResponse.ts";
import type { Run as RunMessage } from "../rpc/gen/trainyard/v1/Run.ts";
import type { UpdateRunRequest__Output } from "../rpc/gen/trainyard/v1/UpdateRunRequest.ts";
import type { UpdateRunResponse } from "../rpc/gen/trainyard/v1/UpdateRunResponse.ts";
import type { Identity } from "../scheduler/core/job.ts";
import type { RawPoints, SourceBatch } from "./core/batch.ts";
import { parseStatus } from "./core/run.ts";
import { ingest } from "./ingest.ts";
import type { SeriesPoints } from "./query.ts";
import type { RunView, Tracker } from "./tracker.ts";

/** What the handlers need to know of a call. */
export interface CallContext {
  readonly identity: Identity;
}

export interface TrackerHandlers {
  createRun(
    request: CreateRunRequest__Output,
    context: CallContext,
  ): Promise<CreateRunResponse | Refusal>;
  updateRun(request: UpdateRunRequest__Output): Promise<UpdateRunResponse | Refusal>;
  getRun(request: GetRunRequest__Output): Promise<GetRunResponse | Refusal>;
  listRuns(request: ListRunsRequest__Output): Promise<ListRunsResponse | Refusal>;
  ingestMetrics(batches: AsyncIterable<MetricBatch__Output>): AsyncIterable<MetricAck>;
  logMetrics(request: LogMetricsRequest__Output): Promise<LogMetricsResponse | Refusal>;
  queryMetric(request: QueryMetricRequest__Output): Promise<QueryMetricResponse | Refusal>;
  latestMetrics(request: LatestMetricsRequest__Output): Promise<LatestMetricsResponse | Refusal>;
  getSourcePosition(request: GetSourcePositionRequest__Output): Promise<GetSourcePositionResponse>;
}

export function trackerHandlers(tracker: Tracker): TrackerHandlers {
  return {
    createRun: async (request, { identity }) => {
      const created = await tracker.createRun(request.requestId, {
        id: request.runId,
        experiment: request.experiment,
        name: request.name,
        owner: identity,
        params: decodePairs(request.params),
        tags: decodePairs(request.tags),
      });
      return isRefusal(created) ? created : { run: encodeRun(created) };
    },

    updateRun: async (request) => {
      const status = request.status === "" ? null : parseStatus(request.status);
      if (isRefusal(status)) return status;
      const params = decodePairs(request.params);
      const change = { status, params, tags: decodePairs(request.tags) };
      const updated = await tracker.updateRun(request.requestId, request.runId, change);
      return isRefusal(updated) ? updated : { run: encodeRun(updated) };
    },

    getRun: async (request) => {
      const found = tracker.getRun(request.runId);
      return isRefusal(found) ? found : { run: encodeRun(found) };
    },

    listRuns: async (request) => {
      const page = tracker.listRuns(request);
      return isRefusal(page) ? page : { runs: page.runs.map(encodeRun), nextToken: page.nextToken };
    },

    ingestMetrics: (batches) => ingest(decodeBatches(batches), tracker),

    logMetrics: async ({ requestId, runId, metrics, points }) => {
      const batch = { runId, metrics, points: decodePoints(points) };
      return (await tracker.logMetrics(requestId, batch)) ?? {};
    },

    queryMetric: async (request) => {
      const found = await tracker.queryMetric({
        runId: request.runId,
        metric: request.metric,
        fromStep: request.fromStep ?? null,
        toStep: request.toStep ?? null,
        points: request.points,
        includeSuperseded: request.includeSuperseded,
      });
      return isRefusal(found) ? found : encodeSeries(found);
    },

    latestMetrics: async (request) => {
      const found = tracker.latestMetrics(request.runId);
      if (isRefusal(found)) return found;
      return { metrics: found.map(({ metric, point }) => ({ name: metric, ...point })) };
    },

    getSourcePosition: async (request) => ({ position: tracker.sourcePosition(request.source) }),
  };
}

function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refusal";
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
