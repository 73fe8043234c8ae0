// Original file: proto/trainyard/v1/policy.proto

import type { Long } from '@grpc/proto-loader';

export interface LasLevels {
  'gpuMs'?: (number | string | Long)[];
}

export interface LasLevels__Output {
  'gpuMs': (number)[];
}
