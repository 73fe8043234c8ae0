// What commands need of a scheduler: the API as plain calls. `grpc-cluster.ts` is the real one.

import type { ApplyPolicyRequest } from "../rpc/gen/trainyard/v1/ApplyPolicyRequest.ts";
import type { ApplyQueuesRequest } from "../rpc/gen/trainyard/v1/ApplyQueuesRequest.ts";
import type { AttachRequest } from "../rpc/gen/trainyard/v1/AttachRequest.ts";
import type { AttachResponse__Output } from "../rpc/gen/trainyard/v1/AttachResponse.ts";
import type { CancelJobRequest } from "../rpc/gen/trainyard/v1/CancelJobRequest.ts";
import type { CancelJobResponse__Output } from "../rpc/gen/trainyard/v1/CancelJobResponse.ts";
import type { CordonNodeRequest } from "../rpc/gen/trainyard/v1/CordonNodeRequest.ts";
import type { DeleteQueueRequest } from "../rpc/gen/trainyard/v1/DeleteQueueRequest.ts";
import type { DrainNodeRequest } from "../rpc/gen/trainyard/v1/DrainNodeRequest.ts";
import type { ExplainJobResponse__Output } from "../rpc/gen/trainyard/v1/ExplainJobResponse.ts";
import type { GetJobResponse__Output } from "../rpc/gen/trainyard/v1/GetJobResponse.ts";
import type { GetPolicyResponse__Output } from "../rpc/gen/trainyard/v1/GetPolicyResponse.ts";
import type { HoldJobRequest } from "../rpc/gen/trainyard/v1/HoldJobRequest.ts";
import type { LatestMetricsResponse__Output } from "../rpc/gen/trainyard/v1/LatestMetricsResponse.ts";
import type { ListCheckpointsResponse__Output } from "../rpc/gen/trainyard/v1/ListCheckpointsResponse.ts";
import type { ListJobEventsResponse__Output } from "../rpc/gen/trainyard/v1/ListJobEventsResponse.ts";
import type { ListJobsRequest } from "../rpc/gen/trainyard/v1/ListJobsRequest.ts";
import type { ListJobsResponse__Output } from "../rpc/gen/trainyard/v1/ListJobsResponse.ts";
import type { ListNodesResponse__Output } from "../rpc/gen/trainyard/v1/ListNodesResponse.ts";
import type { ListQueuesResponse__Output } from "../rpc/gen/trainyard/v1/ListQueuesResponse.ts";
import type { PreviewPolicyRequest } from "../rpc/gen/trainyard/v1/PreviewPolicyRequest.ts";
import type { PreviewPolicyResponse__Output } from "../rpc/gen/trainyard/v1/PreviewPolicyResponse.ts";
import type { PreviewJobRequest } from "../rpc/gen/trainyard/v1/PreviewJobRequest.ts";
import type { PreviewJobResponse__Output } from "../rpc/gen/trainyard/v1/PreviewJobResponse.ts";
import type { PreviewQueuesRequest } from "../rpc/gen/trainyard/v1/PreviewQueuesRequest.ts";
import type { PreviewQueuesResponse__Output } from "../rpc/gen/trainyard/v1/PreviewQueuesResponse.ts";
import type { PutBundleRequest } from "../rpc/gen/trainyard/v1/PutBundleRequest.ts";
import type { PutBundleResponse__Output } from "../rpc/gen/trainyard/v1/PutBundleResponse.ts";
import type { QueryMetricRequest } from "../rpc/gen/trainyard/v1/QueryMetricRequest.ts";
import type { QueryMetricResponse__Output } from "../rpc/gen/trainyard/v1/QueryMetricResponse.ts";
import type { ReadLogsRequest } from "../rpc/gen/trainyard/v1/ReadLogsRequest.ts";
import type { ReadLogsResponse__Output } from "../rpc/gen/trainyard/v1/ReadLogsResponse.ts";
import type { NoticeNodeRequest } from "../rpc/gen/trainyard/v1/NoticeNodeRequest.ts";
import type { ReleaseJobRequest } from "../rpc/gen/trainyard/v1/ReleaseJobRequest.ts";
import type { RemoveNodeRequest } from "../rpc/gen/trainyard/v1/RemoveNodeRequest.ts";
import type { SubmitJobRequest } from "../rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import type { SubmitJobResponse__Output } from "../rpc/gen/trainyard/v1/SubmitJobResponse.ts";
import type { SweepObjectsResponse__Output } from "../rpc/gen/trainyard/v1/SweepObjectsResponse.ts";
import type { UncordonNodeRequest } from "../rpc/gen/trainyard/v1/UncordonNodeRequest.ts";
import type { WatchJobsResponse__Output } from "../rpc/gen/trainyard/v1/WatchJobsResponse.ts";

/** Every call throws an error with a `refusal`; plain ones also when their time is over. */
export interface Cluster {
  /** `host:port` that it talks to. */
  readonly server: string;
  submitJob(request: SubmitJobRequest): Promise<SubmitJobResponse__Output>;
  cancelJob(request: CancelJobRequest): Promise<CancelJobResponse__Output>;
  holdJob(request: HoldJobRequest): Promise<{ jobId: string }>;
  releaseJob(request: ReleaseJobRequest): Promise<{ jobId: string }>;
  getJob(request: { job: string }): Promise<GetJobResponse__Output>;
  listJobs(request: ListJobsRequest): Promise<ListJobsResponse__Output>;
  listJobEvents(request: { job: string }): Promise<ListJobEventsResponse__Output>;
  explainJob(request: { job: string }): Promise<ExplainJobResponse__Output>;
  previewJob(request: PreviewJobRequest): Promise<PreviewJobResponse__Output>;
  listCheckpoints(request: { job: string }): Promise<ListCheckpointsResponse__Output>;
  sweepObjects(request: { dryRun: boolean }): Promise<SweepObjectsResponse__Output>;
  applyQueues(request: ApplyQueuesRequest): Promise<object>;
  previewQueues(request: PreviewQueuesRequest): Promise<PreviewQueuesResponse__Output>;
  deleteQueue(request: DeleteQueueRequest): Promise<object>;
  listQueues(request: object): Promise<ListQueuesResponse__Output>;
  getPolicy(request: object): Promise<GetPolicyResponse__Output>;
  applyPolicy(request: ApplyPolicyRequest): Promise<object>;
  previewPolicy(request: PreviewPolicyRequest): Promise<PreviewPolicyResponse__Output>;
  listNodes(request: object): Promise<ListNodesResponse__Output>;
  cordonNode(request: CordonNodeRequest): Promise<object>;
  drainNode(request: DrainNodeRequest): Promise<object>;
  noticeNode(request: NoticeNodeRequest): Promise<object>;
  uncordonNode(request: UncordonNodeRequest): Promise<object>;
  removeNode(request: RemoveNodeRequest): Promise<object>;
  latestMetrics(request: { runId: string }): Promise<LatestMetricsResponse__Output>;
  queryMetric(request: QueryMetricRequest): Promise<QueryMetricResponse__Output>;
  /** Ends when the server ends it, or when the signal is aborted. */
  watchJobs(
    request: { jobs: string[] },
    signal: AbortSignal,
  ): AsyncIterable<WatchJobsResponse__Output>;
  readLogs(request: ReadLogsRequest, signal: AbortSignal): AsyncIterable<ReadLogsResponse__Output>;
  putBundle(messages: AsyncIterable<PutBundleRequest>): Promise<PutBundleResponse__Output>;
  attachJob(signal: AbortSignal): AttachStream;
  close(): void;
}

export interface AttachStream {
  /** Resolves when there is room for more. */
  send(message: AttachRequest): Promise<void>;
  /** No more input. */
  end(): void;
  readonly replies: AsyncIterable<AttachResponse__Output>;
}

export interface ConnectOptions {
  readonly server: string;
  readonly tenant: string;
  readonly user: string;
  readonly tls: boolean;
  readonly ca: string | null;
  /** Limit of one plain call. */
  readonly timeoutMs: number;
  /** Aborts every call. */
  readonly signal: AbortSignal;
}
