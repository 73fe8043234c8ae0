// Original file: proto/trainyard/v1/checkpoints.proto

import type { Checkpoint as _trainyard_v1_Checkpoint, Checkpoint__Output as _trainyard_v1_Checkpoint__Output } from '../../trainyard/v1/Checkpoint.ts';

export interface ListCheckpointsResponse {
  'checkpoints'?: (_trainyard_v1_Checkpoint)[];
}

export interface ListCheckpointsResponse__Output {
  'checkpoints': (_trainyard_v1_Checkpoint__Output)[];
}
