// Original file: proto/trainyard/v1/nodes.proto

import type { Long } from '@grpc/proto-loader';

export interface Gpu {
  'index'?: (number);
  'uuid'?: (string);
  'type'?: (string);
  'memoryMib'?: (number | string | Long);
  'jobId'?: (string);
  'island'?: (string);
}

export interface Gpu__Output {
  'index': (number);
  'uuid': (string);
  'type': (string);
  'memoryMib': (number);
  'jobId': (string);
  'island': (string);
}
