// Original file: proto/trainyard/v1/tracker.proto

import type { Long } from '@grpc/proto-loader';

export interface LatestMetric {
  'name'?: (string);
  'step'?: (number | string | Long);
  'timestampMs'?: (number | string | Long);
  'value'?: (number | string);
}

export interface LatestMetric__Output {
  'name': (string);
  'step': (number);
  'timestampMs': (number);
  'value': (number);
}
