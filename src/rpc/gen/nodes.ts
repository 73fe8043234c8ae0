import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { CordonNodeRequest as _trainyard_v1_CordonNodeRequest, CordonNodeRequest__Output as _trainyard_v1_CordonNodeRequest__Output } from './trainyard/v1/CordonNodeRequest.ts';
import type { CordonNodeResponse as _trainyard_v1_CordonNodeResponse, CordonNodeResponse__Output as _trainyard_v1_CordonNodeResponse__Output } from './trainyard/v1/CordonNodeResponse.ts';
import type { DrainNodeRequest as _trainyard_v1_DrainNodeRequest, DrainNodeRequest__Output as _trainyard_v1_DrainNodeRequest__Output } from './trainyard/v1/DrainNodeRequest.ts';
import type { DrainNodeResponse as _trainyard_v1_DrainNodeResponse, DrainNodeResponse__Output as _trainyard_v1_DrainNodeResponse__Output } from './trainyard/v1/DrainNodeResponse.ts';
import type { Gpu as _trainyard_v1_Gpu, Gpu__Output as _trainyard_v1_Gpu__Output } from './trainyard/v1/Gpu.ts';
import type { ListNodesRequest as _trainyard_v1_ListNodesRequest, ListNodesRequest__Output as _trainyard_v1_ListNodesRequest__Output } from './trainyard/v1/ListNodesRequest.ts';
import type { ListNodesResponse as _trainyard_v1_ListNodesResponse, ListNodesResponse__Output as _trainyard_v1_ListNodesResponse__Output } from './trainyard/v1/ListNodesResponse.ts';
import type { Node as _trainyard_v1_Node, Node__Output as _trainyard_v1_Node__Output } from './trainyard/v1/Node.ts';
import type { NodeServiceClient as _trainyard_v1_NodeServiceClient, NodeServiceDefinition as _trainyard_v1_NodeServiceDefinition } from './trainyard/v1/NodeService.ts';
import type { RemoveNodeRequest as _trainyard_v1_RemoveNodeRequest, RemoveNodeRequest__Output as _trainyard_v1_RemoveNodeRequest__Output } from './trainyard/v1/RemoveNodeRequest.ts';
import type { RemoveNodeResponse as _trainyard_v1_RemoveNodeResponse, RemoveNodeResponse__Output as _trainyard_v1_RemoveNodeResponse__Output } from './trainyard/v1/RemoveNodeResponse.ts';
import type { UncordonNodeRequest as _trainyard_v1_UncordonNodeRequest, UncordonNodeRequest__Output as _trainyard_v1_UncordonNodeRequest__Output } from './trainyard/v1/UncordonNodeRequest.ts';
import type { UncordonNodeResponse as _trainyard_v1_UncordonNodeResponse, UncordonNodeResponse__Output as _trainyard_v1_UncordonNodeResponse__Output } from './trainyard/v1/UncordonNodeResponse.ts';

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
      CordonNodeRequest: MessageTypeDefinition<_trainyard_v1_CordonNodeRequest, _trainyard_v1_CordonNodeRequest__Output>
      CordonNodeResponse: MessageTypeDefinition<_trainyard_v1_CordonNodeResponse, _trainyard_v1_CordonNodeResponse__Output>
      DrainNodeRequest: MessageTypeDefinition<_trainyard_v1_DrainNodeRequest, _trainyard_v1_DrainNodeRequest__Output>
      DrainNodeResponse: MessageTypeDefinition<_trainyard_v1_DrainNodeResponse, _trainyard_v1_DrainNodeResponse__Output>
      Gpu: MessageTypeDefinition<_trainyard_v1_Gpu, _trainyard_v1_Gpu__Output>
      ListNodesRequest: MessageTypeDefinition<_trainyard_v1_ListNodesRequest, _trainyard_v1_ListNodesRequest__Output>
      ListNodesResponse: MessageTypeDefinition<_trainyard_v1_ListNodesResponse, _trainyard_v1_ListNodesResponse__Output>
      Node: MessageTypeDefinition<_trainyard_v1_Node, _trainyard_v1_Node__Output>
      NodeService: SubtypeConstructor<typeof grpc.Client, _trainyard_v1_NodeServiceClient> & { service: _trainyard_v1_NodeServiceDefinition }
      RemoveNodeRequest: MessageTypeDefinition<_trainyard_v1_RemoveNodeRequest, _trainyard_v1_RemoveNodeRequest__Output>
      RemoveNodeResponse: MessageTypeDefinition<_trainyard_v1_RemoveNodeResponse, _trainyard_v1_RemoveNodeResponse__Output>
      UncordonNodeRequest: MessageTypeDefinition<_trainyard_v1_UncordonNodeRequest, _trainyard_v1_UncordonNodeRequest__Output>
      UncordonNodeResponse: MessageTypeDefinition<_trainyard_v1_UncordonNodeResponse, _trainyard_v1_UncordonNodeResponse__Output>
    }
  }
}

