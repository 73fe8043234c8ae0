// Original file: proto/trainyard/v1/agents.proto

import type { Long } from '@grpc/proto-loader';

export interface HeartbeatAck {
  'seq'?: (number | string | Long);
  'nowUnixMs'?: (number | string | Long);
}

export interface HeartbeatAck__Output {
  'seq': (number);
  'nowUnixMs': (number);
}
