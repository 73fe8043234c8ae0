// Original file: proto/trainyard/v1/jobs.proto

import type { Long } from '@grpc/proto-loader';

export interface CodeBundle {
  'digest'?: (string);
  'sizeBytes'?: (number | string | Long);
  'commit'?: (string);
  'isDirty'?: (boolean);
}

export interface CodeBundle__Output {
  'digest': (string);
  'sizeBytes': (number);
  'commit': (string);
  'isDirty': (boolean);
}
