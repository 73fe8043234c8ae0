// Original file: proto/trainyard/v1/common.proto

import type { Long } from '@grpc/proto-loader';

export interface Resources {
  'gpus'?: (number);
  'cpuMilli'?: (number | string | Long);
  'memoryMib'?: (number | string | Long);
}

export interface Resources__Output {
  'gpus': (number);
  'cpuMilli': (number);
  'memoryMib': (number);
}
