// Original file: proto/trainyard/v1/jobs.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AttachRequest as _trainyard_v1_AttachRequest, AttachRequest__Output as _trainyard_v1_AttachRequest__Output } from '../../trainyard/v1/AttachRequest.ts';
import type { AttachResponse as _trainyard_v1_AttachResponse, AttachResponse__Output as _trainyard_v1_AttachResponse__Output } from '../../trainyard/v1/AttachResponse.ts';
import type { CancelJobRequest as _trainyard_v1_CancelJobRequest, CancelJobRequest__Output as _trainyard_v1_CancelJobRequest__Output } from '../../trainyard/v1/CancelJobRequest.ts';
import type { CancelJobResponse as _trainyard_v1_CancelJobResponse, CancelJobResponse__Output as _trainyard_v1_CancelJobResponse__Output } from '../../trainyard/v1/CancelJobResponse.ts';
import type { ExplainJobRequest as _trainyard_v1_ExplainJobRequest, ExplainJobRequest__Output as _trainyard_v1_ExplainJobRequest__Output } from '../../trainyard/v1/ExplainJobRequest.ts';
import type { ExplainJobResponse as _trainyard_v1_ExplainJobResponse, ExplainJobResponse__Output as _trainyard_v1_ExplainJobResponse__Output } from '../../trainyard/v1/ExplainJobResponse.ts';
import type { GetJobRequest as _trainyard_v1_GetJobRequest, GetJobRequest__Output as _trainyard_v1_GetJobRequest__Output } from '../../trainyard/v1/GetJobRequest.ts';
import type { GetJobResponse as _trainyard_v1_GetJobResponse, GetJobResponse__Output as _trainyard_v1_GetJobResponse__Output } from '../../trainyard/v1/GetJobResponse.ts';
import type { HoldJobRequest as _trainyard_v1_HoldJobRequest, HoldJobRequest__Output as _trainyard_v1_HoldJobRequest__Output } from '../../trainyard/v1/HoldJobRequest.ts';
import type { HoldJobResponse as _trainyard_v1_HoldJobResponse, HoldJobResponse__Output as _trainyard_v1_HoldJobResponse__Output } from '../../trainyard/v1/HoldJobResponse.ts';
import type { ListJobEventsRequest as _trainyard_v1_ListJobEventsRequest, ListJobEventsRequest__Output as _trainyard_v1_ListJobEventsRequest__Output } from '../../trainyard/v1/ListJobEventsRequest.ts';
import type { ListJobEventsResponse as _trainyard_v1_ListJobEventsResponse, ListJobEventsResponse__Output as _trainyard_v1_ListJobEventsResponse__Output } from '../../trainyard/v1/ListJobEventsResponse.ts';
import type { ListJobsRequest as _trainyard_v1_ListJobsRequest, ListJobsRequest__Output as _trainyard_v1_ListJobsRequest__Output } from '../../trainyard/v1/ListJobsRequest.ts';
import type { ListJobsResponse as _trainyard_v1_ListJobsResponse, ListJobsResponse__Output as _trainyard_v1_ListJobsResponse__Output } from '../../trainyard/v1/ListJobsResponse.ts';
import type { PreviewJobRequest as _trainyard_v1_PreviewJobRequest, PreviewJobRequest__Output as _trainyard_v1_PreviewJobRequest__Output } from '../../trainyard/v1/PreviewJobRequest.ts';
import type { PreviewJobResponse as _trainyard_v1_PreviewJobResponse, PreviewJobResponse__Output as _trainyard_v1_PreviewJobResponse__Output } from '../../trainyard/v1/PreviewJobResponse.ts';
import type { PutBundleRequest as _trainyard_v1_PutBundleRequest, PutBundleRequest__Output as _trainyard_v1_PutBundleRequest__Output } from '../../trainyard/v1/PutBundleRequest.ts';
import type { PutBundleResponse as _trainyard_v1_PutBundleResponse, PutBundleResponse__Output as _trainyard_v1_PutBundleResponse__Output } from '../../trainyard/v1/PutBundleResponse.ts';
import type { ReadLogsRequest as _trainyard_v1_ReadLogsRequest, ReadLogsRequest__Output as _trainyard_v1_ReadLogsRequest__Output } from '../../trainyard/v1/ReadLogsRequest.ts';
import type { ReadLogsResponse as _trainyard_v1_ReadLogsResponse, ReadLogsResponse__Output as _trainyard_v1_ReadLogsResponse__Output } from '../../trainyard/v1/ReadLogsResponse.ts';
import type { ReleaseJobRequest as _trainyard_v1_ReleaseJobRequest, ReleaseJobRequest__Output as _trainyard_v1_ReleaseJobRequest__Output } from '../../trainyard/v1/ReleaseJobRequest.ts';
import type { ReleaseJobResponse as _trainyard_v1_ReleaseJobResponse, ReleaseJobResponse__Output as _trainyard_v1_ReleaseJobResponse__Output } from '../../trainyard/v1/ReleaseJobResponse.ts';
import type { SubmitJobRequest as _trainyard_v1_SubmitJobRequest, SubmitJobRequest__Output as _trainyard_v1_SubmitJobRequest__Output } from '../../trainyard/v1/SubmitJobRequest.ts';
import type { SubmitJobResponse as _trainyard_v1_SubmitJobResponse, SubmitJobResponse__Output as _trainyard_v1_SubmitJobResponse__Output } from '../../trainyard/v1/SubmitJobResponse.ts';
import type { WatchJobsRequest as _trainyard_v1_WatchJobsRequest, WatchJobsRequest__Output as _trainyard_v1_WatchJobsRequest__Output } from '../../trainyard/v1/WatchJobsRequest.ts';
import type { WatchJobsResponse as _trainyard_v1_WatchJobsResponse, WatchJobsResponse__Output as _trainyard_v1_WatchJobsResponse__Output } from '../../trainyard/v1/WatchJobsResponse.ts';

export interface JobServiceClient extends grpc.Client {
  AttachJob(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AttachRequest, _trainyard_v1_AttachResponse__Output>;
  AttachJob(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AttachRequest, _trainyard_v1_AttachResponse__Output>;
  attachJob(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AttachRequest, _trainyard_v1_AttachResponse__Output>;
  attachJob(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AttachRequest, _trainyard_v1_AttachResponse__Output>;
  
  CancelJob(argument: _trainyard_v1_CancelJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  CancelJob(argument: _trainyard_v1_CancelJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  CancelJob(argument: _trainyard_v1_CancelJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  CancelJob(argument: _trainyard_v1_CancelJobRequest, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _trainyard_v1_CancelJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _trainyard_v1_CancelJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _trainyard_v1_CancelJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _trainyard_v1_CancelJobRequest, callback: grpc.requestCallback<_trainyard_v1_CancelJobResponse__Output>): grpc.ClientUnaryCall;
  
  ExplainJob(argument: _trainyard_v1_ExplainJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  ExplainJob(argument: _trainyard_v1_ExplainJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  ExplainJob(argument: _trainyard_v1_ExplainJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  ExplainJob(argument: _trainyard_v1_ExplainJobRequest, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  explainJob(argument: _trainyard_v1_ExplainJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  explainJob(argument: _trainyard_v1_ExplainJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  explainJob(argument: _trainyard_v1_ExplainJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  explainJob(argument: _trainyard_v1_ExplainJobRequest, callback: grpc.requestCallback<_trainyard_v1_ExplainJobResponse__Output>): grpc.ClientUnaryCall;
  
  GetJob(argument: _trainyard_v1_GetJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  GetJob(argument: _trainyard_v1_GetJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  GetJob(argument: _trainyard_v1_GetJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  GetJob(argument: _trainyard_v1_GetJobRequest, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  getJob(argument: _trainyard_v1_GetJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  getJob(argument: _trainyard_v1_GetJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  getJob(argument: _trainyard_v1_GetJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  getJob(argument: _trainyard_v1_GetJobRequest, callback: grpc.requestCallback<_trainyard_v1_GetJobResponse__Output>): grpc.ClientUnaryCall;
  
  HoldJob(argument: _trainyard_v1_HoldJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  HoldJob(argument: _trainyard_v1_HoldJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  HoldJob(argument: _trainyard_v1_HoldJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  HoldJob(argument: _trainyard_v1_HoldJobRequest, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  holdJob(argument: _trainyard_v1_HoldJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  holdJob(argument: _trainyard_v1_HoldJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  holdJob(argument: _trainyard_v1_HoldJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  holdJob(argument: _trainyard_v1_HoldJobRequest, callback: grpc.requestCallback<_trainyard_v1_HoldJobResponse__Output>): grpc.ClientUnaryCall;
  
  ListJobEvents(argument: _trainyard_v1_ListJobEventsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  ListJobEvents(argument: _trainyard_v1_ListJobEventsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  ListJobEvents(argument: _trainyard_v1_ListJobEventsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  ListJobEvents(argument: _trainyard_v1_ListJobEventsRequest, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  listJobEvents(argument: _trainyard_v1_ListJobEventsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  listJobEvents(argument: _trainyard_v1_ListJobEventsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  listJobEvents(argument: _trainyard_v1_ListJobEventsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  listJobEvents(argument: _trainyard_v1_ListJobEventsRequest, callback: grpc.requestCallback<_trainyard_v1_ListJobEventsResponse__Output>): grpc.ClientUnaryCall;
  
  ListJobs(argument: _trainyard_v1_ListJobsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  ListJobs(argument: _trainyard_v1_ListJobsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  ListJobs(argument: _trainyard_v1_ListJobsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  ListJobs(argument: _trainyard_v1_ListJobsRequest, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _trainyard_v1_ListJobsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _trainyard_v1_ListJobsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _trainyard_v1_ListJobsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _trainyard_v1_ListJobsRequest, callback: grpc.requestCallback<_trainyard_v1_ListJobsResponse__Output>): grpc.ClientUnaryCall;
  
  PreviewJob(argument: _trainyard_v1_PreviewJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  PreviewJob(argument: _trainyard_v1_PreviewJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  PreviewJob(argument: _trainyard_v1_PreviewJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  PreviewJob(argument: _trainyard_v1_PreviewJobRequest, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  previewJob(argument: _trainyard_v1_PreviewJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  previewJob(argument: _trainyard_v1_PreviewJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  previewJob(argument: _trainyard_v1_PreviewJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  previewJob(argument: _trainyard_v1_PreviewJobRequest, callback: grpc.requestCallback<_trainyard_v1_PreviewJobResponse__Output>): grpc.ClientUnaryCall;
  
  PutBundle(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  PutBundle(metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  PutBundle(options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  PutBundle(callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  putBundle(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  putBundle(metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  putBundle(options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  putBundle(callback: grpc.requestCallback<_trainyard_v1_PutBundleResponse__Output>): grpc.ClientWritableStream<_trainyard_v1_PutBundleRequest>;
  
  ReadLogs(argument: _trainyard_v1_ReadLogsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_ReadLogsResponse__Output>;
  ReadLogs(argument: _trainyard_v1_ReadLogsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_ReadLogsResponse__Output>;
  readLogs(argument: _trainyard_v1_ReadLogsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_ReadLogsResponse__Output>;
  readLogs(argument: _trainyard_v1_ReadLogsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_ReadLogsResponse__Output>;
  
  ReleaseJob(argument: _trainyard_v1_ReleaseJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  ReleaseJob(argument: _trainyard_v1_ReleaseJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  ReleaseJob(argument: _trainyard_v1_ReleaseJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  ReleaseJob(argument: _trainyard_v1_ReleaseJobRequest, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  releaseJob(argument: _trainyard_v1_ReleaseJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  releaseJob(argument: _trainyard_v1_ReleaseJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  releaseJob(argument: _trainyard_v1_ReleaseJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  releaseJob(argument: _trainyard_v1_ReleaseJobRequest, callback: grpc.requestCallback<_trainyard_v1_ReleaseJobResponse__Output>): grpc.ClientUnaryCall;
  
  SubmitJob(argument: _trainyard_v1_SubmitJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  SubmitJob(argument: _trainyard_v1_SubmitJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  SubmitJob(argument: _trainyard_v1_SubmitJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  SubmitJob(argument: _trainyard_v1_SubmitJobRequest, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _trainyard_v1_SubmitJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _trainyard_v1_SubmitJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _trainyard_v1_SubmitJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _trainyard_v1_SubmitJobRequest, callback: grpc.requestCallback<_trainyard_v1_SubmitJobResponse__Output>): grpc.ClientUnaryCall;
  
  WatchJobs(argument: _trainyard_v1_WatchJobsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_WatchJobsResponse__Output>;
  WatchJobs(argument: _trainyard_v1_WatchJobsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_WatchJobsResponse__Output>;
  watchJobs(argument: _trainyard_v1_WatchJobsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_WatchJobsResponse__Output>;
  watchJobs(argument: _trainyard_v1_WatchJobsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_trainyard_v1_WatchJobsResponse__Output>;
  
}

export interface JobServiceHandlers extends grpc.UntypedServiceImplementation {
  AttachJob: grpc.handleBidiStreamingCall<_trainyard_v1_AttachRequest__Output, _trainyard_v1_AttachResponse>;
  
  CancelJob: grpc.handleUnaryCall<_trainyard_v1_CancelJobRequest__Output, _trainyard_v1_CancelJobResponse>;
  
  ExplainJob: grpc.handleUnaryCall<_trainyard_v1_ExplainJobRequest__Output, _trainyard_v1_ExplainJobResponse>;
  
  GetJob: grpc.handleUnaryCall<_trainyard_v1_GetJobRequest__Output, _trainyard_v1_GetJobResponse>;
  
  HoldJob: grpc.handleUnaryCall<_trainyard_v1_HoldJobRequest__Output, _trainyard_v1_HoldJobResponse>;
  
  ListJobEvents: grpc.handleUnaryCall<_trainyard_v1_ListJobEventsRequest__Output, _trainyard_v1_ListJobEventsResponse>;
  
  ListJobs: grpc.handleUnaryCall<_trainyard_v1_ListJobsRequest__Output, _trainyard_v1_ListJobsResponse>;
  
  PreviewJob: grpc.handleUnaryCall<_trainyard_v1_PreviewJobRequest__Output, _trainyard_v1_PreviewJobResponse>;
  
  PutBundle: grpc.handleClientStreamingCall<_trainyard_v1_PutBundleRequest__Output, _trainyard_v1_PutBundleResponse>;
  
  ReadLogs: grpc.handleServerStreamingCall<_trainyard_v1_ReadLogsRequest__Output, _trainyard_v1_ReadLogsResponse>;
  
  ReleaseJob: grpc.handleUnaryCall<_trainyard_v1_ReleaseJobRequest__Output, _trainyard_v1_ReleaseJobResponse>;
  
  SubmitJob: grpc.handleUnaryCall<_trainyard_v1_SubmitJobRequest__Output, _trainyard_v1_SubmitJobResponse>;
  
  WatchJobs: grpc.handleServerStreamingCall<_trainyard_v1_WatchJobsRequest__Output, _trainyard_v1_WatchJobsResponse>;
  
}

export interface JobServiceDefinition extends grpc.ServiceDefinition {
  AttachJob: MethodDefinition<_trainyard_v1_AttachRequest, _trainyard_v1_AttachResponse, _trainyard_v1_AttachRequest__Output, _trainyard_v1_AttachResponse__Output>
  CancelJob: MethodDefinition<_trainyard_v1_CancelJobRequest, _trainyard_v1_CancelJobResponse, _trainyard_v1_CancelJobRequest__Output, _trainyard_v1_CancelJobResponse__Output>
  ExplainJob: MethodDefinition<_trainyard_v1_ExplainJobRequest, _trainyard_v1_ExplainJobResponse, _trainyard_v1_ExplainJobRequest__Output, _trainyard_v1_ExplainJobResponse__Output>
  GetJob: MethodDefinition<_trainyard_v1_GetJobRequest, _trainyard_v1_GetJobResponse, _trainyard_v1_GetJobRequest__Output, _trainyard_v1_GetJobResponse__Output>
  HoldJob: MethodDefinition<_trainyard_v1_HoldJobRequest, _trainyard_v1_HoldJobResponse, _trainyard_v1_HoldJobRequest__Output, _trainyard_v1_HoldJobResponse__Output>
  ListJobEvents: MethodDefinition<_trainyard_v1_ListJobEventsRequest, _trainyard_v1_ListJobEventsResponse, _trainyard_v1_ListJobEventsRequest__Output, _trainyard_v1_ListJobEventsResponse__Output>
  ListJobs: MethodDefinition<_trainyard_v1_ListJobsRequest, _trainyard_v1_ListJobsResponse, _trainyard_v1_ListJobsRequest__Output, _trainyard_v1_ListJobsResponse__Output>
  PreviewJob: MethodDefinition<_trainyard_v1_PreviewJobRequest, _trainyard_v1_PreviewJobResponse, _trainyard_v1_PreviewJobRequest__Output, _trainyard_v1_PreviewJobResponse__Output>
  PutBundle: MethodDefinition<_trainyard_v1_PutBundleRequest, _trainyard_v1_PutBundleResponse, _trainyard_v1_PutBundleRequest__Output, _trainyard_v1_PutBundleResponse__Output>
  ReadLogs: MethodDefinition<_trainyard_v1_ReadLogsRequest, _trainyard_v1_ReadLogsResponse, _trainyard_v1_ReadLogsRequest__Output, _trainyard_v1_ReadLogsResponse__Output>
  ReleaseJob: MethodDefinition<_trainyard_v1_ReleaseJobRequest, _trainyard_v1_ReleaseJobResponse, _trainyard_v1_ReleaseJobRequest__Output, _trainyard_v1_ReleaseJobResponse__Output>
  SubmitJob: MethodDefinition<_trainyard_v1_SubmitJobRequest, _trainyard_v1_SubmitJobResponse, _trainyard_v1_SubmitJobRequest__Output, _trainyard_v1_SubmitJobResponse__Output>
  WatchJobs: MethodDefinition<_trainyard_v1_WatchJobsRequest, _trainyard_v1_WatchJobsResponse, _trainyard_v1_WatchJobsRequest__Output, _trainyard_v1_WatchJobsResponse__Output>
}
