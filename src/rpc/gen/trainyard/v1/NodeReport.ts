// Original file: proto/trainyard/v1/agents.proto

import type { ObservedTask as _trainyard_v1_ObservedTask, ObservedTask__Output as _trainyard_v1_ObservedTask__Output } from '../../trainyard/v1/ObservedTask.ts';
import type { NodeCondition as _trainyard_v1_NodeCondition, NodeCondition__Output as _trainyard_v1_NodeCondition__Output } from '../../trainyard/v1/NodeCondition.ts';
import type { Long } from '@grpc/proto-loader';

export interface NodeReport {
  'generation'?: (number | string | Long);
  'tasks'?: (_trainyard_v1_ObservedTask)[];
  'conditions'?: (_trainyard_v1_NodeCondition)[];
}

export interface NodeReport__Output {
  'generation': (number);
  'tasks': (_trainyard_v1_ObservedTask__Output)[];
  'conditions': (_trainyard_v1_NodeCondition__Output)[];
}
