// Original file: proto/trainyard/v1/common.proto

import type { Long } from '@grpc/proto-loader';

export interface ClockOffset {
  'aheadMs'?: (number | string | Long);
  'errorMs'?: (number | string | Long);
}

export interface ClockOffset__Output {
  'aheadMs': (number);
  'errorMs': (number);
}
