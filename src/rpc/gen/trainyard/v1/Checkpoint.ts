// Original file: proto/trainyard/v1/jobs.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Checkpoint {
  'id'?: (string);
  'jobId'?: (string);
  'attempt'?: (number);
  'step'?: (number | string | Long);
  'state'?: (string);
  'takenAt'?: (_google_protobuf_Timestamp | null);
  'committedAt'?: (_google_protobuf_Timestamp | null);
  'sizeBytes'?: (number | string | Long);
  'uploadedBytes'?: (number | string | Long);
  'manifestDigest'?: (string);
}

export interface Checkpoint__Output {
  'id': (string);
  'jobId': (string);
  'attempt': (number);
  'step': (number);
  'state': (string);
  'takenAt': (_google_protobuf_Timestamp__Output | null);
  'committedAt': (_google_protobuf_Timestamp__Output | null);
  'sizeBytes': (number);
  'uploadedBytes': (number);
  'manifestDigest': (string);
}
