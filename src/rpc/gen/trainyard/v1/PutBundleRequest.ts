// Original file: proto/trainyard/v1/jobs.proto

import type { Long } from '@grpc/proto-loader';

export interface PutBundleRequest {
  'digest'?: (string);
  'sizeBytes'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
}

export interface PutBundleRequest__Output {
  'digest': (string);
  'sizeBytes': (number);
  'data': (Buffer);
}
