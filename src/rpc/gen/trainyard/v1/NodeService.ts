// Original file: proto/trainyard/v1/nodes.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CordonNodeRequest as _trainyard_v1_CordonNodeRequest, CordonNodeRequest__Output as _trainyard_v1_CordonNodeRequest__Output } from '../../trainyard/v1/CordonNodeRequest.ts';
import type { CordonNodeResponse as _trainyard_v1_CordonNodeResponse, CordonNodeResponse__Output as _trainyard_v1_CordonNodeResponse__Output } from '../../trainyard/v1/CordonNodeResponse.ts';
import type { DrainNodeRequest as _trainyard_v1_DrainNodeRequest, DrainNodeRequest__Output as _trainyard_v1_DrainNodeRequest__Output } from '../../trainyard/v1/DrainNodeRequest.ts';
import type { DrainNodeResponse as _trainyard_v1_DrainNodeResponse, DrainNodeResponse__Output as _trainyard_v1_DrainNodeResponse__Output } from '../../trainyard/v1/DrainNodeResponse.ts';
import type { ListNodesRequest as _trainyard_v1_ListNodesRequest, ListNodesRequest__Output as _trainyard_v1_ListNodesRequest__Output } from '../../trainyard/v1/ListNodesRequest.ts';
import type { ListNodesResponse as _trainyard_v1_ListNodesResponse, ListNodesResponse__Output as _trainyard_v1_ListNodesResponse__Output } from '../../trainyard/v1/ListNodesResponse.ts';
import type { NoticeNodeRequest as _trainyard_v1_NoticeNodeRequest, NoticeNodeRequest__Output as _trainyard_v1_NoticeNodeRequest__Output } from '../../trainyard/v1/NoticeNodeRequest.ts';
import type { NoticeNodeResponse as _trainyard_v1_NoticeNodeResponse, NoticeNodeResponse__Output as _trainyard_v1_NoticeNodeResponse__Output } from '../../trainyard/v1/NoticeNodeResponse.ts';
import type { RemoveNodeRequest as _trainyard_v1_RemoveNodeRequest, RemoveNodeRequest__Output as _trainyard_v1_RemoveNodeRequest__Output } from '../../trainyard/v1/RemoveNodeRequest.ts';
import type { RemoveNodeResponse as _trainyard_v1_RemoveNodeResponse, RemoveNodeResponse__Output as _trainyard_v1_RemoveNodeResponse__Output } from '../../trainyard/v1/RemoveNodeResponse.ts';
import type { UncordonNodeRequest as _trainyard_v1_UncordonNodeRequest, UncordonNodeRequest__Output as _trainyard_v1_UncordonNodeRequest__Output } from '../../trainyard/v1/UncordonNodeRequest.ts';
import type { UncordonNodeResponse as _trainyard_v1_UncordonNodeResponse, UncordonNodeResponse__Output as _trainyard_v1_UncordonNodeResponse__Output } from '../../trainyard/v1/UncordonNodeResponse.ts';

export interface NodeServiceClient extends grpc.Client {
  CordonNode(argument: _trainyard_v1_CordonNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  CordonNode(argument: _trainyard_v1_CordonNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  CordonNode(argument: _trainyard_v1_CordonNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  CordonNode(argument: _trainyard_v1_CordonNodeRequest, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  cordonNode(argument: _trainyard_v1_CordonNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  cordonNode(argument: _trainyard_v1_CordonNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  cordonNode(argument: _trainyard_v1_CordonNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  cordonNode(argument: _trainyard_v1_CordonNodeRequest, callback: grpc.requestCallback<_trainyard_v1_CordonNodeResponse__Output>): grpc.ClientUnaryCall;
  
  DrainNode(argument: _trainyard_v1_DrainNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  DrainNode(argument: _trainyard_v1_DrainNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  DrainNode(argument: _trainyard_v1_DrainNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  DrainNode(argument: _trainyard_v1_DrainNodeRequest, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  drainNode(argument: _trainyard_v1_DrainNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  drainNode(argument: _trainyard_v1_DrainNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  drainNode(argument: _trainyard_v1_DrainNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  drainNode(argument: _trainyard_v1_DrainNodeRequest, callback: grpc.requestCallback<_trainyard_v1_DrainNodeResponse__Output>): grpc.ClientUnaryCall;
  
  ListNodes(argument: _trainyard_v1_ListNodesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  ListNodes(argument: _trainyard_v1_ListNodesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  ListNodes(argument: _trainyard_v1_ListNodesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  ListNodes(argument: _trainyard_v1_ListNodesRequest, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _trainyard_v1_ListNodesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _trainyard_v1_ListNodesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _trainyard_v1_ListNodesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _trainyard_v1_ListNodesRequest, callback: grpc.requestCallback<_trainyard_v1_ListNodesResponse__Output>): grpc.ClientUnaryCall;
  
  NoticeNode(argument: _trainyard_v1_NoticeNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  NoticeNode(argument: _trainyard_v1_NoticeNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  NoticeNode(argument: _trainyard_v1_NoticeNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  NoticeNode(argument: _trainyard_v1_NoticeNodeRequest, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  noticeNode(argument: _trainyard_v1_NoticeNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  noticeNode(argument: _trainyard_v1_NoticeNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  noticeNode(argument: _trainyard_v1_NoticeNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  noticeNode(argument: _trainyard_v1_NoticeNodeRequest, callback: grpc.requestCallback<_trainyard_v1_NoticeNodeResponse__Output>): grpc.ClientUnaryCall;
  
  RemoveNode(argument: _trainyard_v1_RemoveNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  RemoveNode(argument: _trainyard_v1_RemoveNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  RemoveNode(argument: _trainyard_v1_RemoveNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  RemoveNode(argument: _trainyard_v1_RemoveNodeRequest, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  removeNode(argument: _trainyard_v1_RemoveNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  removeNode(argument: _trainyard_v1_RemoveNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  removeNode(argument: _trainyard_v1_RemoveNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  removeNode(argument: _trainyard_v1_RemoveNodeRequest, callback: grpc.requestCallback<_trainyard_v1_RemoveNodeResponse__Output>): grpc.ClientUnaryCall;
  
  UncordonNode(argument: _trainyard_v1_UncordonNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  UncordonNode(argument: _trainyard_v1_UncordonNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  UncordonNode(argument: _trainyard_v1_UncordonNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  UncordonNode(argument: _trainyard_v1_UncordonNodeRequest, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  uncordonNode(argument: _trainyard_v1_UncordonNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  uncordonNode(argument: _trainyard_v1_UncordonNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  uncordonNode(argument: _trainyard_v1_UncordonNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  uncordonNode(argument: _trainyard_v1_UncordonNodeRequest, callback: grpc.requestCallback<_trainyard_v1_UncordonNodeResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface NodeServiceHandlers extends grpc.UntypedServiceImplementation {
  CordonNode: grpc.handleUnaryCall<_trainyard_v1_CordonNodeRequest__Output, _trainyard_v1_CordonNodeResponse>;
  
  DrainNode: grpc.handleUnaryCall<_trainyard_v1_DrainNodeRequest__Output, _trainyard_v1_DrainNodeResponse>;
  
  ListNodes: grpc.handleUnaryCall<_trainyard_v1_ListNodesRequest__Output, _trainyard_v1_ListNodesResponse>;
  
  NoticeNode: grpc.handleUnaryCall<_trainyard_v1_NoticeNodeRequest__Output, _trainyard_v1_NoticeNodeResponse>;
  
  RemoveNode: grpc.handleUnaryCall<_trainyard_v1_RemoveNodeRequest__Output, _trainyard_v1_RemoveNodeResponse>;
  
  UncordonNode: grpc.handleUnaryCall<_trainyard_v1_UncordonNodeRequest__Output, _trainyard_v1_UncordonNodeResponse>;
  
}

export interface NodeServiceDefinition extends grpc.ServiceDefinition {
  CordonNode: MethodDefinition<_trainyard_v1_CordonNodeRequest, _trainyard_v1_CordonNodeResponse, _trainyard_v1_CordonNodeRequest__Output, _trainyard_v1_CordonNodeResponse__Output>
  DrainNode: MethodDefinition<_trainyard_v1_DrainNodeRequest, _trainyard_v1_DrainNodeResponse, _trainyard_v1_DrainNodeRequest__Output, _trainyard_v1_DrainNodeResponse__Output>
  ListNodes: MethodDefinition<_trainyard_v1_ListNodesRequest, _trainyard_v1_ListNodesResponse, _trainyard_v1_ListNodesRequest__Output, _trainyard_v1_ListNodesResponse__Output>
  NoticeNode: MethodDefinition<_trainyard_v1_NoticeNodeRequest, _trainyard_v1_NoticeNodeResponse, _trainyard_v1_NoticeNodeRequest__Output, _trainyard_v1_NoticeNodeResponse__Output>
  RemoveNode: MethodDefinition<_trainyard_v1_RemoveNodeRequest, _trainyard_v1_RemoveNodeResponse, _trainyard_v1_RemoveNodeRequest__Output, _trainyard_v1_RemoveNodeResponse__Output>
  UncordonNode: MethodDefinition<_trainyard_v1_UncordonNodeRequest, _trainyard_v1_UncordonNodeResponse, _trainyard_v1_UncordonNodeRequest__Output, _trainyard_v1_UncordonNodeResponse__Output>
}
