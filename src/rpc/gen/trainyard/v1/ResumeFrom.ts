// Original file: proto/trainyard/v1/agents.proto

import type { Long } from '@grpc/proto-loader';

export interface ResumeFrom {
  'checkpointId'?: (string);
  'step'?: (number | string | Long);
  'manifestDigest'?: (string);
}

export interface ResumeFrom__Output {
  'checkpointId': (string);
  'step': (number);
  'manifestDigest': (string);
}
