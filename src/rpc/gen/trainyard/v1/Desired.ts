// Original file: proto/trainyard/v1/agents.proto

import type { DesiredTask as _trainyard_v1_DesiredTask, DesiredTask__Output as _trainyard_v1_DesiredTask__Output } from '../../trainyard/v1/DesiredTask.ts';
import type { Long } from '@grpc/proto-loader';

export interface Desired {
  'generation'?: (number | string | Long);
  'tasks'?: (_trainyard_v1_DesiredTask)[];
}

export interface Desired__Output {
  'generation': (number);
  'tasks': (_trainyard_v1_DesiredTask__Output)[];
}
