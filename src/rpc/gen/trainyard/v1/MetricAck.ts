// Original file: proto/trainyard/v1/tracker.proto

import type { Long } from '@grpc/proto-loader';

export interface MetricAck {
  'source'?: (string);
  'position'?: (number | string | Long);
  'error'?: (string);
}

export interface MetricAck__Output {
  'source': (string);
  'position': (number);
  'error': (string);
}
