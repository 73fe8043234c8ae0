// Original file: proto/trainyard/v1/nodes.proto

import type { Node as _trainyard_v1_Node, Node__Output as _trainyard_v1_Node__Output } from '../../trainyard/v1/Node.ts';

export interface ListNodesResponse {
  'nodes'?: (_trainyard_v1_Node)[];
}

export interface ListNodesResponse__Output {
  'nodes': (_trainyard_v1_Node__Output)[];
}
