// Original file: proto/trainyard/v1/jobs.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface StartEstimate {
  'p50'?: (_google_protobuf_Duration | null);
  'p90'?: (_google_protobuf_Duration | null);
  'gap'?: (string);
  'basis'?: (string);
}

export interface StartEstimate__Output {
  'p50': (_google_protobuf_Duration__Output | null);
  'p90': (_google_protobuf_Duration__Output | null);
  'gap': (string);
  'basis': (string);
}
