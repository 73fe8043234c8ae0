// Original file: proto/trainyard/v1/tracker.proto

import type { Long } from '@grpc/proto-loader';

export interface GetSourcePositionResponse {
  'position'?: (number | string | Long);
}

export interface GetSourcePositionResponse__Output {
  'position': (number);
}
