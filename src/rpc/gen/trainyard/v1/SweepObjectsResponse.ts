// Original file: proto/trainyard/v1/checkpoints.proto

import type { Long } from '@grpc/proto-loader';

export interface SweepObjectsResponse {
  'objects'?: (number | string | Long);
  'sizeBytes'?: (number | string | Long);
  'isPartial'?: (boolean);
  'uploads'?: (number | string | Long);
}

export interface SweepObjectsResponse__Output {
  'objects': (number);
  'sizeBytes': (number);
  'isPartial': (boolean);
  'uploads': (number);
}
