// Original file: proto/trainyard/v1/jobs.proto

import type { JobSpec as _trainyard_v1_JobSpec, JobSpec__Output as _trainyard_v1_JobSpec__Output } from '../../trainyard/v1/JobSpec.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Attempt as _trainyard_v1_Attempt, Attempt__Output as _trainyard_v1_Attempt__Output } from '../../trainyard/v1/Attempt.ts';
import type { Checkpoint as _trainyard_v1_Checkpoint, Checkpoint__Output as _trainyard_v1_Checkpoint__Output } from '../../trainyard/v1/Checkpoint.ts';
import type { Hold as _trainyard_v1_Hold, Hold__Output as _trainyard_v1_Hold__Output } from '../../trainyard/v1/Hold.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface Job {
  'id'?: (string);
  'spec'?: (_trainyard_v1_JobSpec | null);
  'tenant'?: (string);
  'user'?: (string);
  'phase'?: (string);
  'submittedAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'attempts'?: (_trainyard_v1_Attempt)[];
  'failures'?: (number);
  'preemptions'?: (number);
  'nodeLosses'?: (number);
  'gpuSeconds'?: (number | string);
  'lostGpuSeconds'?: (number | string);
  'checkpoint'?: (_trainyard_v1_Checkpoint | null);
  'hold'?: (_trainyard_v1_Hold | null);
  'runId'?: (string);
  'exitCode'?: (number);
  'why'?: (string);
  'arrayId'?: (string);
  'arrayIndex'?: (number);
  'remaining'?: (_google_protobuf_Duration | null);
}

export interface Job__Output {
  'id': (string);
  'spec': (_trainyard_v1_JobSpec__Output | null);
  'tenant': (string);
  'user': (string);
  'phase': (string);
  'submittedAt': (_google_protobuf_Timestamp__Output | null);
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  'attempts': (_trainyard_v1_Attempt__Output)[];
  'failures': (number);
  'preemptions': (number);
  'nodeLosses': (number);
  'gpuSeconds': (number);
  'lostGpuSeconds': (number);
  'checkpoint': (_trainyard_v1_Checkpoint__Output | null);
  'hold': (_trainyard_v1_Hold__Output | null);
  'runId': (string);
  'exitCode': (number);
  'why': (string);
  'arrayId': (string);
  'arrayIndex': (number);
  'remaining': (_google_protobuf_Duration__Output | null);
}
