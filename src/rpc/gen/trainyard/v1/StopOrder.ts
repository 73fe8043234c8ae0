// Original file: proto/trainyard/v1/agents.proto

import type { Long } from '@grpc/proto-loader';

export interface StopOrder {
  'reason'?: (string);
  'deadlineUnixMs'?: (number | string | Long);
  'remainingMs'?: (number | string | Long);
  'wantsCheckpoint'?: (boolean);
}

export interface StopOrder__Output {
  'reason': (string);
  'deadlineUnixMs': (number);
  'remainingMs': (number);
  'wantsCheckpoint': (boolean);
}
