// Original file: proto/trainyard/v1/jobs.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface JobEvent {
  'seq'?: (number | string | Long);
  'at'?: (_google_protobuf_Timestamp | null);
  'actor'?: (string);
  'kind'?: (string);
  'message'?: (string);
}

export interface JobEvent__Output {
  'seq': (number);
  'at': (_google_protobuf_Timestamp__Output | null);
  'actor': (string);
  'kind': (string);
  'message': (string);
}
