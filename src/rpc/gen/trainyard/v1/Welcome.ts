// Original file: proto/trainyard/v1/agents.proto

import type { Long } from '@grpc/proto-loader';

export interface Welcome {
  'leaseMs'?: (number | string | Long);
  'heartbeatIntervalMs'?: (number | string | Long);
  'objectStore'?: (string);
  'trackerAddress'?: (string);
  'schedulerVersion'?: (string);
}

export interface Welcome__Output {
  'leaseMs': (number);
  'heartbeatIntervalMs': (number);
  'objectStore': (string);
  'trackerAddress': (string);
  'schedulerVersion': (string);
}
