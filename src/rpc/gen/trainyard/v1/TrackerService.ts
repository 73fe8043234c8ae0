// Original file: proto/trainyard/v1/tracker.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CreateRunRequest as _trainyard_v1_CreateRunRequest, CreateRunRequest__Output as _trainyard_v1_CreateRunRequest__Output } from '../../trainyard/v1/CreateRunRequest.ts';
import type { CreateRunResponse as _trainyard_v1_CreateRunResponse, CreateRunResponse__Output as _trainyard_v1_CreateRunResponse__Output } from '../../trainyard/v1/CreateRunResponse.ts';
import type { GetRunRequest as _trainyard_v1_GetRunRequest, GetRunRequest__Output as _trainyard_v1_GetRunRequest__Output } from '../../trainyard/v1/GetRunRequest.ts';
import type { GetRunResponse as _trainyard_v1_GetRunResponse, GetRunResponse__Output as _trainyard_v1_GetRunResponse__Output } from '../../trainyard/v1/GetRunResponse.ts';
import type { GetSourcePositionRequest as _trainyard_v1_GetSourcePositionRequest, GetSourcePositionRequest__Output as _trainyard_v1_GetSourcePositionRequest__Output } from '../../trainyard/v1/GetSourcePositionRequest.ts';
import type { GetSourcePositionResponse as _trainyard_v1_GetSourcePositionResponse, GetSourcePositionResponse__Output as _trainyard_v1_GetSourcePositionResponse__Output } from '../../trainyard/v1/GetSourcePositionResponse.ts';
import type { LatestMetricsRequest as _trainyard_v1_LatestMetricsRequest, LatestMetricsRequest__Output as _trainyard_v1_LatestMetricsRequest__Output } from '../../trainyard/v1/LatestMetricsRequest.ts';
import type { LatestMetricsResponse as _trainyard_v1_LatestMetricsResponse, LatestMetricsResponse__Output as _trainyard_v1_LatestMetricsResponse__Output } from '../../trainyard/v1/LatestMetricsResponse.ts';
import type { ListRunsRequest as _trainyard_v1_ListRunsRequest, ListRunsRequest__Output as _trainyard_v1_ListRunsRequest__Output } from '../../trainyard/v1/ListRunsRequest.ts';
import type { ListRunsResponse as _trainyard_v1_ListRunsResponse, ListRunsResponse__Output as _trainyard_v1_ListRunsResponse__Output } from '../../trainyard/v1/ListRunsResponse.ts';
import type { LogMetricsRequest as _trainyard_v1_LogMetricsRequest, LogMetricsRequest__Output as _trainyard_v1_LogMetricsRequest__Output } from '../../trainyard/v1/LogMetricsRequest.ts';
import type { LogMetricsResponse as _trainyard_v1_LogMetricsResponse, LogMetricsResponse__Output as _trainyard_v1_LogMetricsResponse__Output } from '../../trainyard/v1/LogMetricsResponse.ts';
import type { MetricAck as _trainyard_v1_MetricAck, MetricAck__Output as _trainyard_v1_MetricAck__Output } from '../../trainyard/v1/MetricAck.ts';
import type { MetricBatch as _trainyard_v1_MetricBatch, MetricBatch__Output as _trainyard_v1_MetricBatch__Output } from '../../trainyard/v1/MetricBatch.ts';
import type { QueryMetricRequest as _trainyard_v1_QueryMetricRequest, QueryMetricRequest__Output as _trainyard_v1_QueryMetricRequest__Output } from '../../trainyard/v1/QueryMetricRequest.ts';
import type { QueryMetricResponse as _trainyard_v1_QueryMetricResponse, QueryMetricResponse__Output as _trainyard_v1_QueryMetricResponse__Output } from '../../trainyard/v1/QueryMetricResponse.ts';
import type { UpdateRunRequest as _trainyard_v1_UpdateRunRequest, UpdateRunRequest__Output as _trainyard_v1_UpdateRunRequest__Output } from '../../trainyard/v1/UpdateRunRequest.ts';
import type { UpdateRunResponse as _trainyard_v1_UpdateRunResponse, UpdateRunResponse__Output as _trainyard_v1_UpdateRunResponse__Output } from '../../trainyard/v1/UpdateRunResponse.ts';

export interface TrackerServiceClient extends grpc.Client {
  CreateRun(argument: _trainyard_v1_CreateRunRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  CreateRun(argument: _trainyard_v1_CreateRunRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  CreateRun(argument: _trainyard_v1_CreateRunRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  CreateRun(argument: _trainyard_v1_CreateRunRequest, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  createRun(argument: _trainyard_v1_CreateRunRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  createRun(argument: _trainyard_v1_CreateRunRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  createRun(argument: _trainyard_v1_CreateRunRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  createRun(argument: _trainyard_v1_CreateRunRequest, callback: grpc.requestCallback<_trainyard_v1_CreateRunResponse__Output>): grpc.ClientUnaryCall;
  
  GetRun(argument: _trainyard_v1_GetRunRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  GetRun(argument: _trainyard_v1_GetRunRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  GetRun(argument: _trainyard_v1_GetRunRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  GetRun(argument: _trainyard_v1_GetRunRequest, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  getRun(argument: _trainyard_v1_GetRunRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  getRun(argument: _trainyard_v1_GetRunRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  getRun(argument: _trainyard_v1_GetRunRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  getRun(argument: _trainyard_v1_GetRunRequest, callback: grpc.requestCallback<_trainyard_v1_GetRunResponse__Output>): grpc.ClientUnaryCall;
  
  GetSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  GetSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  GetSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  GetSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  getSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  getSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  getSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  getSourcePosition(argument: _trainyard_v1_GetSourcePositionRequest, callback: grpc.requestCallback<_trainyard_v1_GetSourcePositionResponse__Output>): grpc.ClientUnaryCall;
  
  IngestMetrics(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_MetricBatch, _trainyard_v1_MetricAck__Output>;
  IngestMetrics(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_MetricBatch, _trainyard_v1_MetricAck__Output>;
  ingestMetrics(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_MetricBatch, _trainyard_v1_MetricAck__Output>;
  ingestMetrics(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_MetricBatch, _trainyard_v1_MetricAck__Output>;
  
  LatestMetrics(argument: _trainyard_v1_LatestMetricsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  LatestMetrics(argument: _trainyard_v1_LatestMetricsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  LatestMetrics(argument: _trainyard_v1_LatestMetricsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  LatestMetrics(argument: _trainyard_v1_LatestMetricsRequest, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  latestMetrics(argument: _trainyard_v1_LatestMetricsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  latestMetrics(argument: _trainyard_v1_LatestMetricsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  latestMetrics(argument: _trainyard_v1_LatestMetricsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  latestMetrics(argument: _trainyard_v1_LatestMetricsRequest, callback: grpc.requestCallback<_trainyard_v1_LatestMetricsResponse__Output>): grpc.ClientUnaryCall;
  
  ListRuns(argument: _trainyard_v1_ListRunsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  ListRuns(argument: _trainyard_v1_ListRunsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  ListRuns(argument: _trainyard_v1_ListRunsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  ListRuns(argument: _trainyard_v1_ListRunsRequest, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  listRuns(argument: _trainyard_v1_ListRunsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  listRuns(argument: _trainyard_v1_ListRunsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  listRuns(argument: _trainyard_v1_ListRunsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  listRuns(argument: _trainyard_v1_ListRunsRequest, callback: grpc.requestCallback<_trainyard_v1_ListRunsResponse__Output>): grpc.ClientUnaryCall;
  
  LogMetrics(argument: _trainyard_v1_LogMetricsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  LogMetrics(argument: _trainyard_v1_LogMetricsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  LogMetrics(argument: _trainyard_v1_LogMetricsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  LogMetrics(argument: _trainyard_v1_LogMetricsRequest, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  logMetrics(argument: _trainyard_v1_LogMetricsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  logMetrics(argument: _trainyard_v1_LogMetricsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  logMetrics(argument: _trainyard_v1_LogMetricsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  logMetrics(argument: _trainyard_v1_LogMetricsRequest, callback: grpc.requestCallback<_trainyard_v1_LogMetricsResponse__Output>): grpc.ClientUnaryCall;
  
  QueryMetric(argument: _trainyard_v1_QueryMetricRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  QueryMetric(argument: _trainyard_v1_QueryMetricRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  QueryMetric(argument: _trainyard_v1_QueryMetricRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  QueryMetric(argument: _trainyard_v1_QueryMetricRequest, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  queryMetric(argument: _trainyard_v1_QueryMetricRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  queryMetric(argument: _trainyard_v1_QueryMetricRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  queryMetric(argument: _trainyard_v1_QueryMetricRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  queryMetric(argument: _trainyard_v1_QueryMetricRequest, callback: grpc.requestCallback<_trainyard_v1_QueryMetricResponse__Output>): grpc.ClientUnaryCall;
  
  UpdateRun(argument: _trainyard_v1_UpdateRunRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  UpdateRun(argument: _trainyard_v1_UpdateRunRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  UpdateRun(argument: _trainyard_v1_UpdateRunRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  UpdateRun(argument: _trainyard_v1_UpdateRunRequest, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  updateRun(argument: _trainyard_v1_UpdateRunRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  updateRun(argument: _trainyard_v1_UpdateRunRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  updateRun(argument: _trainyard_v1_UpdateRunRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  updateRun(argument: _trainyard_v1_UpdateRunRequest, callback: grpc.requestCallback<_trainyard_v1_UpdateRunResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface TrackerServiceHandlers extends grpc.UntypedServiceImplementation {
  CreateRun: grpc.handleUnaryCall<_trainyard_v1_CreateRunRequest__Output, _trainyard_v1_CreateRunResponse>;
  
  GetRun: grpc.handleUnaryCall<_trainyard_v1_GetRunRequest__Output, _trainyard_v1_GetRunResponse>;
  
  GetSourcePosition: grpc.handleUnaryCall<_trainyard_v1_GetSourcePositionRequest__Output, _trainyard_v1_GetSourcePositionResponse>;
  
  IngestMetrics: grpc.handleBidiStreamingCall<_trainyard_v1_MetricBatch__Output, _trainyard_v1_MetricAck>;
  
  LatestMetrics: grpc.handleUnaryCall<_trainyard_v1_LatestMetricsRequest__Output, _trainyard_v1_LatestMetricsResponse>;
  
  ListRuns: grpc.handleUnaryCall<_trainyard_v1_ListRunsRequest__Output, _trainyard_v1_ListRunsResponse>;
  
  LogMetrics: grpc.handleUnaryCall<_trainyard_v1_LogMetricsRequest__Output, _trainyard_v1_LogMetricsResponse>;
  
  QueryMetric: grpc.handleUnaryCall<_trainyard_v1_QueryMetricRequest__Output, _trainyard_v1_QueryMetricResponse>;
  
  UpdateRun: grpc.handleUnaryCall<_trainyard_v1_UpdateRunRequest__Output, _trainyard_v1_UpdateRunResponse>;
  
}

export interface TrackerServiceDefinition extends grpc.ServiceDefinition {
  CreateRun: MethodDefinition<_trainyard_v1_CreateRunRequest, _trainyard_v1_CreateRunResponse, _trainyard_v1_CreateRunRequest__Output, _trainyard_v1_CreateRunResponse__Output>
  GetRun: MethodDefinition<_trainyard_v1_GetRunRequest, _trainyard_v1_GetRunResponse, _trainyard_v1_GetRunRequest__Output, _trainyard_v1_GetRunResponse__Output>
  GetSourcePosition: MethodDefinition<_trainyard_v1_GetSourcePositionRequest, _trainyard_v1_GetSourcePositionResponse, _trainyard_v1_GetSourcePositionRequest__Output, _trainyard_v1_GetSourcePositionResponse__Output>
  IngestMetrics: MethodDefinition<_trainyard_v1_MetricBatch, _trainyard_v1_MetricAck, _trainyard_v1_MetricBatch__Output, _trainyard_v1_MetricAck__Output>
  LatestMetrics: MethodDefinition<_trainyard_v1_LatestMetricsRequest, _trainyard_v1_LatestMetricsResponse, _trainyard_v1_LatestMetricsRequest__Output, _trainyard_v1_LatestMetricsResponse__Output>
  ListRuns: MethodDefinition<_trainyard_v1_ListRunsRequest, _trainyard_v1_ListRunsResponse, _trainyard_v1_ListRunsRequest__Output, _trainyard_v1_ListRunsResponse__Output>
  LogMetrics: MethodDefinition<_trainyard_v1_LogMetricsRequest, _trainyard_v1_LogMetricsResponse, _trainyard_v1_LogMetricsRequest__Output, _trainyard_v1_LogMetricsResponse__Output>
  QueryMetric: MethodDefinition<_trainyard_v1_QueryMetricRequest, _trainyard_v1_QueryMetricResponse, _trainyard_v1_QueryMetricRequest__Output, _trainyard_v1_QueryMetricResponse__Output>
  UpdateRun: MethodDefinition<_trainyard_v1_UpdateRunRequest, _trainyard_v1_UpdateRunResponse, _trainyard_v1_UpdateRunRequest__Output, _trainyard_v1_UpdateRunResponse__Output>
}
