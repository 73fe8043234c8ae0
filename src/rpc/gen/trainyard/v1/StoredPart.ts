// Original file: proto/trainyard/v1/agents.proto

import type { Long } from '@grpc/proto-loader';

export interface StoredPart {
  'step'?: (number | string | Long);
  'takenAtUnixMs'?: (number | string | Long);
  'digest'?: (string);
  'sizeBytes'?: (number | string | Long);
  'uploadedBytes'?: (number | string | Long);
}

export interface StoredPart__Output {
  'step': (number);
  'takenAtUnixMs': (number);
  'digest': (string);
  'sizeBytes': (number);
  'uploadedBytes': (number);
}
