// Original file: proto/trainyard/v1/checkpoints.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ListCheckpointsRequest as _trainyard_v1_ListCheckpointsRequest, ListCheckpointsRequest__Output as _trainyard_v1_ListCheckpointsRequest__Output } from '../../trainyard/v1/ListCheckpointsRequest.ts';
import type { ListCheckpointsResponse as _trainyard_v1_ListCheckpointsResponse, ListCheckpointsResponse__Output as _trainyard_v1_ListCheckpointsResponse__Output } from '../../trainyard/v1/ListCheckpointsResponse.ts';
import type { SweepObjectsRequest as _trainyard_v1_SweepObjectsRequest, SweepObjectsRequest__Output as _trainyard_v1_SweepObjectsRequest__Output } from '../../trainyard/v1/SweepObjectsRequest.ts';
import type { SweepObjectsResponse as _trainyard_v1_SweepObjectsResponse, SweepObjectsResponse__Output as _trainyard_v1_SweepObjectsResponse__Output } from '../../trainyard/v1/SweepObjectsResponse.ts';

export interface CheckpointServiceClient extends grpc.Client {
  ListCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  ListCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  ListCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  ListCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  listCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  listCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  listCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  listCheckpoints(argument: _trainyard_v1_ListCheckpointsRequest, callback: grpc.requestCallback<_trainyard_v1_ListCheckpointsResponse__Output>): grpc.ClientUnaryCall;
  
  SweepObjects(argument: _trainyard_v1_SweepObjectsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  SweepObjects(argument: _trainyard_v1_SweepObjectsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  SweepObjects(argument: _trainyard_v1_SweepObjectsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  SweepObjects(argument: _trainyard_v1_SweepObjectsRequest, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  sweepObjects(argument: _trainyard_v1_SweepObjectsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  sweepObjects(argument: _trainyard_v1_SweepObjectsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  sweepObjects(argument: _trainyard_v1_SweepObjectsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  sweepObjects(argument: _trainyard_v1_SweepObjectsRequest, callback: grpc.requestCallback<_trainyard_v1_SweepObjectsResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface CheckpointServiceHandlers extends grpc.UntypedServiceImplementation {
  ListCheckpoints: grpc.handleUnaryCall<_trainyard_v1_ListCheckpointsRequest__Output, _trainyard_v1_ListCheckpointsResponse>;
  
  SweepObjects: grpc.handleUnaryCall<_trainyard_v1_SweepObjectsRequest__Output, _trainyard_v1_SweepObjectsResponse>;
  
}

export interface CheckpointServiceDefinition extends grpc.ServiceDefinition {
  ListCheckpoints: MethodDefinition<_trainyard_v1_ListCheckpointsRequest, _trainyard_v1_ListCheckpointsResponse, _trainyard_v1_ListCheckpointsRequest__Output, _trainyard_v1_ListCheckpointsResponse__Output>
  SweepObjects: MethodDefinition<_trainyard_v1_SweepObjectsRequest, _trainyard_v1_SweepObjectsResponse, _trainyard_v1_SweepObjectsRequest__Output, _trainyard_v1_SweepObjectsResponse__Output>
}
