// Original file: proto/trainyard/v1/agents.proto

import type { ClockOffset as _trainyard_v1_ClockOffset, ClockOffset__Output as _trainyard_v1_ClockOffset__Output } from '../../trainyard/v1/ClockOffset.ts';
import type { Long } from '@grpc/proto-loader';

export interface Heartbeat {
  'seq'?: (number | string | Long);
  'clock'?: (_trainyard_v1_ClockOffset | null);
}

export interface Heartbeat__Output {
  'seq': (number);
  'clock': (_trainyard_v1_ClockOffset__Output | null);
}
