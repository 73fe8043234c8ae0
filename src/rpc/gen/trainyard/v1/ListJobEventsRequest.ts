// Original file: proto/trainyard/v1/jobs.proto

import type { Long } from '@grpc/proto-loader';

export interface ListJobEventsRequest {
  'job'?: (string);
  'limit'?: (number);
  'afterSeq'?: (number | string | Long);
}

export interface ListJobEventsRequest__Output {
  'job': (string);
  'limit': (number);
  'afterSeq': (number);
}
