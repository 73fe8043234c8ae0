// Original file: proto/trainyard/v1/queues.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApplyQueuesRequest as _trainyard_v1_ApplyQueuesRequest, ApplyQueuesRequest__Output as _trainyard_v1_ApplyQueuesRequest__Output } from '../../trainyard/v1/ApplyQueuesRequest.ts';
import type { ApplyQueuesResponse as _trainyard_v1_ApplyQueuesResponse, ApplyQueuesResponse__Output as _trainyard_v1_ApplyQueuesResponse__Output } from '../../trainyard/v1/ApplyQueuesResponse.ts';
import type { DeleteQueueRequest as _trainyard_v1_DeleteQueueRequest, DeleteQueueRequest__Output as _trainyard_v1_DeleteQueueRequest__Output } from '../../trainyard/v1/DeleteQueueRequest.ts';
import type { DeleteQueueResponse as _trainyard_v1_DeleteQueueResponse, DeleteQueueResponse__Output as _trainyard_v1_DeleteQueueResponse__Output } from '../../trainyard/v1/DeleteQueueResponse.ts';
import type { ListQueuesRequest as _trainyard_v1_ListQueuesRequest, ListQueuesRequest__Output as _trainyard_v1_ListQueuesRequest__Output } from '../../trainyard/v1/ListQueuesRequest.ts';
import type { ListQueuesResponse as _trainyard_v1_ListQueuesResponse, ListQueuesResponse__Output as _trainyard_v1_ListQueuesResponse__Output } from '../../trainyard/v1/ListQueuesResponse.ts';
import type { PreviewQueuesRequest as _trainyard_v1_PreviewQueuesRequest, PreviewQueuesRequest__Output as _trainyard_v1_PreviewQueuesRequest__Output } from '../../trainyard/v1/PreviewQueuesRequest.ts';
import type { PreviewQueuesResponse as _trainyard_v1_PreviewQueuesResponse, PreviewQueuesResponse__Output as _trainyard_v1_PreviewQueuesResponse__Output } from '../../trainyard/v1/PreviewQueuesResponse.ts';

export interface QueueServiceClient extends grpc.Client {
  ApplyQueues(argument: _trainyard_v1_ApplyQueuesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  ApplyQueues(argument: _trainyard_v1_ApplyQueuesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  ApplyQueues(argument: _trainyard_v1_ApplyQueuesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  ApplyQueues(argument: _trainyard_v1_ApplyQueuesRequest, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  applyQueues(argument: _trainyard_v1_ApplyQueuesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  applyQueues(argument: _trainyard_v1_ApplyQueuesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  applyQueues(argument: _trainyard_v1_ApplyQueuesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  applyQueues(argument: _trainyard_v1_ApplyQueuesRequest, callback: grpc.requestCallback<_trainyard_v1_ApplyQueuesResponse__Output>): grpc.ClientUnaryCall;
  
  DeleteQueue(argument: _trainyard_v1_DeleteQueueRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  DeleteQueue(argument: _trainyard_v1_DeleteQueueRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  DeleteQueue(argument: _trainyard_v1_DeleteQueueRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  DeleteQueue(argument: _trainyard_v1_DeleteQueueRequest, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  deleteQueue(argument: _trainyard_v1_DeleteQueueRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  deleteQueue(argument: _trainyard_v1_DeleteQueueRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  deleteQueue(argument: _trainyard_v1_DeleteQueueRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  deleteQueue(argument: _trainyard_v1_DeleteQueueRequest, callback: grpc.requestCallback<_trainyard_v1_DeleteQueueResponse__Output>): grpc.ClientUnaryCall;
  
  ListQueues(argument: _trainyard_v1_ListQueuesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  ListQueues(argument: _trainyard_v1_ListQueuesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  ListQueues(argument: _trainyard_v1_ListQueuesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  ListQueues(argument: _trainyard_v1_ListQueuesRequest, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  listQueues(argument: _trainyard_v1_ListQueuesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  listQueues(argument: _trainyard_v1_ListQueuesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  listQueues(argument: _trainyard_v1_ListQueuesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  listQueues(argument: _trainyard_v1_ListQueuesRequest, callback: grpc.requestCallback<_trainyard_v1_ListQueuesResponse__Output>): grpc.ClientUnaryCall;
  
  PreviewQueues(argument: _trainyard_v1_PreviewQueuesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  PreviewQueues(argument: _trainyard_v1_PreviewQueuesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  PreviewQueues(argument: _trainyard_v1_PreviewQueuesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  PreviewQueues(argument: _trainyard_v1_PreviewQueuesRequest, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  previewQueues(argument: _trainyard_v1_PreviewQueuesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  previewQueues(argument: _trainyard_v1_PreviewQueuesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  previewQueues(argument: _trainyard_v1_PreviewQueuesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  previewQueues(argument: _trainyard_v1_PreviewQueuesRequest, callback: grpc.requestCallback<_trainyard_v1_PreviewQueuesResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface QueueServiceHandlers extends grpc.UntypedServiceImplementation {
  ApplyQueues: grpc.handleUnaryCall<_trainyard_v1_ApplyQueuesRequest__Output, _trainyard_v1_ApplyQueuesResponse>;
  
  DeleteQueue: grpc.handleUnaryCall<_trainyard_v1_DeleteQueueRequest__Output, _trainyard_v1_DeleteQueueResponse>;
  
  ListQueues: grpc.handleUnaryCall<_trainyard_v1_ListQueuesRequest__Output, _trainyard_v1_ListQueuesResponse>;
  
  PreviewQueues: grpc.handleUnaryCall<_trainyard_v1_PreviewQueuesRequest__Output, _trainyard_v1_PreviewQueuesResponse>;
  
}

export interface QueueServiceDefinition extends grpc.ServiceDefinition {
  ApplyQueues: MethodDefinition<_trainyard_v1_ApplyQueuesRequest, _trainyard_v1_ApplyQueuesResponse, _trainyard_v1_ApplyQueuesRequest__Output, _trainyard_v1_ApplyQueuesResponse__Output>
  DeleteQueue: MethodDefinition<_trainyard_v1_DeleteQueueRequest, _trainyard_v1_DeleteQueueResponse, _trainyard_v1_DeleteQueueRequest__Output, _trainyard_v1_DeleteQueueResponse__Output>
  ListQueues: MethodDefinition<_trainyard_v1_ListQueuesRequest, _trainyard_v1_ListQueuesResponse, _trainyard_v1_ListQueuesRequest__Output, _trainyard_v1_ListQueuesResponse__Output>
  PreviewQueues: MethodDefinition<_trainyard_v1_PreviewQueuesRequest, _trainyard_v1_PreviewQueuesResponse, _trainyard_v1_PreviewQueuesRequest__Output, _trainyard_v1_PreviewQueuesResponse__Output>
}
