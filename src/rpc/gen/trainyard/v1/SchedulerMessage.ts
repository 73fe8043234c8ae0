// Original file: proto/trainyard/v1/agents.proto

import type { Welcome as _trainyard_v1_Welcome, Welcome__Output as _trainyard_v1_Welcome__Output } from '../../trainyard/v1/Welcome.ts';
import type { HeartbeatAck as _trainyard_v1_HeartbeatAck, HeartbeatAck__Output as _trainyard_v1_HeartbeatAck__Output } from '../../trainyard/v1/HeartbeatAck.ts';
import type { Desired as _trainyard_v1_Desired, Desired__Output as _trainyard_v1_Desired__Output } from '../../trainyard/v1/Desired.ts';
import type { OpenChannel as _trainyard_v1_OpenChannel, OpenChannel__Output as _trainyard_v1_OpenChannel__Output } from '../../trainyard/v1/OpenChannel.ts';

export interface SchedulerMessage {
  'welcome'?: (_trainyard_v1_Welcome | null);
  'heartbeatAck'?: (_trainyard_v1_HeartbeatAck | null);
  'desired'?: (_trainyard_v1_Desired | null);
  'openChannel'?: (_trainyard_v1_OpenChannel | null);
  'message'?: "welcome"|"heartbeatAck"|"desired"|"openChannel";
}

export interface SchedulerMessage__Output {
  'welcome'?: (_trainyard_v1_Welcome__Output | null);
  'heartbeatAck'?: (_trainyard_v1_HeartbeatAck__Output | null);
  'desired'?: (_trainyard_v1_Desired__Output | null);
  'openChannel'?: (_trainyard_v1_OpenChannel__Output | null);
  'message'?: "welcome"|"heartbeatAck"|"desired"|"openChannel";
}
