// Original file: proto/trainyard/v1/jobs.proto

import type { TaskPlacement as _trainyard_v1_TaskPlacement, TaskPlacement__Output as _trainyard_v1_TaskPlacement__Output } from '../../trainyard/v1/TaskPlacement.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { TaskExit as _trainyard_v1_TaskExit, TaskExit__Output as _trainyard_v1_TaskExit__Output } from '../../trainyard/v1/TaskExit.ts';
import type { Long } from '@grpc/proto-loader';

export interface Attempt {
  'number'?: (number);
  'placement'?: (_trainyard_v1_TaskPlacement)[];
  'placedAt'?: (_google_protobuf_Timestamp | null);
  'runningAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'resumeFrom'?: (string);
  'resumedFromStep'?: (number | string | Long);
  'outcome'?: (string);
  'why'?: (string);
  'exit'?: (_trainyard_v1_TaskExit | null);
  'lostGpuSeconds'?: (number | string);
}

export interface Attempt__Output {
  'number': (number);
  'placement': (_trainyard_v1_TaskPlacement__Output)[];
  'placedAt': (_google_protobuf_Timestamp__Output | null);
  'runningAt': (_google_protobuf_Timestamp__Output | null);
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  'resumeFrom': (string);
  'resumedFromStep': (number);
  'outcome': (string);
  'why': (string);
  'exit': (_trainyard_v1_TaskExit__Output | null);
  'lostGpuSeconds': (number);
}
