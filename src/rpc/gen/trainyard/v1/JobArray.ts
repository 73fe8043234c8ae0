// Original file: proto/trainyard/v1/jobs.proto

import type { JobSpec as _trainyard_v1_JobSpec, JobSpec__Output as _trainyard_v1_JobSpec__Output } from '../../trainyard/v1/JobSpec.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Hold as _trainyard_v1_Hold, Hold__Output as _trainyard_v1_Hold__Output } from '../../trainyard/v1/Hold.ts';

export interface JobArray {
  'id'?: (string);
  'spec'?: (_trainyard_v1_JobSpec | null);
  'tenant'?: (string);
  'user'?: (string);
  'submittedAt'?: (_google_protobuf_Timestamp | null);
  'elements'?: (number);
  'pending'?: (number);
  'active'?: (number);
  'succeeded'?: (number);
  'failed'?: (number);
  'cancelled'?: (number);
  'hold'?: (_trainyard_v1_Hold | null);
}

export interface JobArray__Output {
  'id': (string);
  'spec': (_trainyard_v1_JobSpec__Output | null);
  'tenant': (string);
  'user': (string);
  'submittedAt': (_google_protobuf_Timestamp__Output | null);
  'elements': (number);
  'pending': (number);
  'active': (number);
  'succeeded': (number);
  'failed': (number);
  'cancelled': (number);
  'hold': (_trainyard_v1_Hold__Output | null);
}
