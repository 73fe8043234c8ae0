// Original file: proto/trainyard/v1/agents.proto

import type { Long } from '@grpc/proto-loader';

export interface AgentGpu {
  'index'?: (number);
  'uuid'?: (string);
  'type'?: (string);
  'memoryMib'?: (number | string | Long);
  'island'?: (string);
}

export interface AgentGpu__Output {
  'index': (number);
  'uuid': (string);
  'type': (string);
  'memoryMib': (number);
  'island': (string);
}
