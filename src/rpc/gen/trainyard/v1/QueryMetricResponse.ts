// Original file: proto/trainyard/v1/tracker.proto

import type { Long } from '@grpc/proto-loader';

export interface QueryMetricResponse {
  'step'?: (number | string | Long)[];
  'timestampMs'?: (number | string | Long)[];
  'value'?: (number | string)[];
  'total'?: (number | string | Long);
}

export interface QueryMetricResponse__Output {
  'step': (number)[];
  'timestampMs': (number)[];
  'value': (number)[];
  'total': (number);
}
