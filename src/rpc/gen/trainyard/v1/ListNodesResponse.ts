// Original file: proto/trainyard/v1/nodes.proto

import type { Node as _trainyard_v1_Node, Node__Output as _trainyard_v1_Node__Output } from '../../trainyard/v1/Node.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface ListNodesResponse {
  'nodes'?: (_trainyard_v1_Node)[];
  'now'?: (_google_protobuf_Timestamp | null);
}

export interface ListNodesResponse__Output {
  'nodes': (_trainyard_v1_Node__Output)[];
  'now': (_google_protobuf_Timestamp__Output | null);
}
