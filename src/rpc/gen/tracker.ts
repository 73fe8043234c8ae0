import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { CreateRunRequest as _trainyard_v1_CreateRunRequest, CreateRunRequest__Output as _trainyard_v1_CreateRunRequest__Output } from './trainyard/v1/CreateRunRequest.ts';
import type { CreateRunResponse as _trainyard_v1_CreateRunResponse, CreateRunResponse__Output as _trainyard_v1_CreateRunResponse__Output } from './trainyard/v1/CreateRunResponse.ts';
import type { GetRunRequest as _trainyard_v1_GetRunRequest, GetRunRequest__Output as _trainyard_v1_GetRunRequest__Output } from './trainyard/v1/GetRunRequest.ts';
import type { GetRunResponse as _trainyard_v1_GetRunResponse, GetRunResponse__Output as _trainyard_v1_GetRunResponse__Output } from './trainyard/v1/GetRunResponse.ts';
import type { GetSourcePositionRequest as _trainyard_v1_GetSourcePositionRequest, GetSourcePositionRequest__Output as _trainyard_v1_GetSourcePositionRequest__Output } from './trainyard/v1/GetSourcePositionRequest.ts';
import type { GetSourcePositionResponse as _trainyard_v1_GetSourcePositionResponse, GetSourcePositionResponse__Output as _trainyard_v1_GetSourcePositionResponse__Output } from './trainyard/v1/GetSourcePositionResponse.ts';
import type { LatestMetric as _trainyard_v1_LatestMetric, LatestMetric__Output as _trainyard_v1_LatestMetric__Output } from './trainyard/v1/LatestMetric.ts';
import type { LatestMetricsRequest as _trainyard_v1_LatestMetricsRequest, LatestMetricsRequest__Output as _trainyard_v1_LatestMetricsRequest__Output } from './trainyard/v1/LatestMetricsRequest.ts';
import type { LatestMetricsResponse as _trainyard_v1_LatestMetricsResponse, LatestMetricsResponse__Output as _trainyard_v1_LatestMetricsResponse__Output } from './trainyard/v1/LatestMetricsResponse.ts';
import type { ListRunsRequest as _trainyard_v1_ListRunsRequest, ListRunsRequest__Output as _trainyard_v1_ListRunsRequest__Output } from './trainyard/v1/ListRunsRequest.ts';
import type { ListRunsResponse as _trainyard_v1_ListRunsResponse, ListRunsResponse__Output as _trainyard_v1_ListRunsResponse__Output } from './trainyard/v1/ListRunsResponse.ts';
import type { LogMetricsRequest as _trainyard_v1_LogMetricsRequest, LogMetricsRequest__Output as _trainyard_v1_LogMetricsRequest__Output } from './trainyard/v1/LogMetricsRequest.ts';
import type { LogMetricsResponse as _trainyard_v1_LogMetricsResponse, LogMetricsResponse__Output as _trainyard_v1_LogMetricsResponse__Output } from './trainyard/v1/LogMetricsResponse.ts';
import type { MetricAck as _trainyard_v1_MetricAck, MetricAck__Output as _trainyard_v1_MetricAck__Output } from './trainyard/v1/MetricAck.ts';
import type { MetricBatch as _trainyard_v1_MetricBatch, MetricBatch__Output as _trainyard_v1_MetricBatch__Output } from './trainyard/v1/MetricBatch.ts';
import type { Points as _trainyard_v1_Points, Points__Output as _trainyard_v1_Points__Output } from './trainyard/v1/Points.ts';
import type { QueryMetricRequest as _trainyard_v1_QueryMetricRequest, QueryMetricRequest__Output as _trainyard_v1_QueryMetricRequest__Output } from './trainyard/v1/QueryMetricRequest.ts';
import type { QueryMetricResponse as _trainyard_v1_QueryMetricResponse, QueryMetricResponse__Output as _trainyard_v1_QueryMetricResponse__Output } from './trainyard/v1/QueryMetricResponse.ts';
import type { Run as _trainyard_v1_Run, Run__Output as _trainyard_v1_Run__Output } from './trainyard/v1/Run.ts';
import type { TrackerServiceClient as _trainyard_v1_TrackerServiceClient, TrackerServiceDefinition as _trainyard_v1_TrackerServiceDefinition } from './trainyard/v1/TrackerService.ts';
import type { UpdateRunRequest as _trainyard_v1_UpdateRunRequest, UpdateRunRequest__Output as _trainyard_v1_UpdateRunRequest__Output } from './trainyard/v1/UpdateRunRequest.ts';
import type { UpdateRunResponse as _trainyard_v1_UpdateRunResponse, UpdateRunResponse__Output as _trainyard_v1_UpdateRunResponse__Output } from './trainyard/v1/UpdateRunResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  trainyard: {
    v1: {
      CreateRunRequest: MessageTypeDefinition<_trainyard_v1_CreateRunRequest, _trainyard_v1_CreateRunRequest__Output>
      CreateRunResponse: MessageTypeDefinition<_trainyard_v1_CreateRunResponse, _trainyard_v1_CreateRunResponse__Output>
      GetRunRequest: MessageTypeDefinition<_trainyard_v1_GetRunRequest, _trainyard_v1_GetRunRequest__Output>
      GetRunResponse: MessageTypeDefinition<_trainyard_v1_GetRunResponse, _trainyard_v1_GetRunResponse__Output>
      GetSourcePositionRequest: MessageTypeDefinition<_trainyard_v1_GetSourcePositionRequest, _trainyard_v1_GetSourcePositionRequest__Output>
      GetSourcePositionResponse: MessageTypeDefinition<_trainyard_v1_GetSourcePositionResponse, _trainyard_v1_GetSourcePositionResponse__Output>
      LatestMetric: MessageTypeDefinition<_trainyard_v1_LatestMetric, _trainyard_v1_LatestMetric__Output>
      LatestMetricsRequest: MessageTypeDefinition<_trainyard_v1_LatestMetricsRequest, _trainyard_v1_LatestMetricsRequest__Output>
      LatestMetricsResponse: MessageTypeDefinition<_trainyard_v1_LatestMetricsResponse, _trainyard_v1_LatestMetricsResponse__Output>
      ListRunsRequest: MessageTypeDefinition<_trainyard_v1_ListRunsRequest, _trainyard_v1_ListRunsRequest__Output>
      ListRunsResponse: MessageTypeDefinition<_trainyard_v1_ListRunsResponse, _trainyard_v1_ListRunsResponse__Output>
      LogMetricsRequest: MessageTypeDefinition<_trainyard_v1_LogMetricsRequest, _trainyard_v1_LogMetricsRequest__Output>
      LogMetricsResponse: MessageTypeDefinition<_trainyard_v1_LogMetricsResponse, _trainyard_v1_LogMetricsResponse__Output>
      MetricAck: MessageTypeDefinition<_trainyard_v1_MetricAck, _trainyard_v1_MetricAck__Output>
      MetricBatch: MessageTypeDefinition<_trainyard_v1_MetricBatch, _trainyard_v1_MetricBatch__Output>
      Points: MessageTypeDefinition<_trainyard_v1_Points, _trainyard_v1_Points__Output>
      QueryMetricRequest: MessageTypeDefinition<_trainyard_v1_QueryMetricRequest, _trainyard_v1_QueryMetricRequest__Output>
      QueryMetricResponse: MessageTypeDefinition<_trainyard_v1_QueryMetricResponse, _trainyard_v1_QueryMetricResponse__Output>
      Run: MessageTypeDefinition<_trainyard_v1_Run, _trainyard_v1_Run__Output>
      TrackerService: SubtypeConstructor<typeof grpc.Client, _trainyard_v1_TrackerServiceClient> & { service: _trainyard_v1_TrackerServiceDefinition }
      UpdateRunRequest: MessageTypeDefinition<_trainyard_v1_UpdateRunRequest, _trainyard_v1_UpdateRunRequest__Output>
      UpdateRunResponse: MessageTypeDefinition<_trainyard_v1_UpdateRunResponse, _trainyard_v1_UpdateRunResponse__Output>
    }
  }
}

