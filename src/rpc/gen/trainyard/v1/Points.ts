// Original file: proto/trainyard/v1/tracker.proto

import type { Long } from '@grpc/proto-loader';

export interface Points {
  'metric'?: (number)[];
  'step'?: (number | string | Long)[];
  'timestampMs'?: (number | string | Long)[];
  'value'?: (number | string)[];
}

export interface Points__Output {
  'metric': (number)[];
  'step': (number)[];
  'timestampMs': (number)[];
  'value': (number)[];
}
