// Original file: proto/trainyard/v1/agents.proto

import type { LogChannel as _trainyard_v1_LogChannel, LogChannel__Output as _trainyard_v1_LogChannel__Output } from '../../trainyard/v1/LogChannel.ts';
import type { AttachChannel as _trainyard_v1_AttachChannel, AttachChannel__Output as _trainyard_v1_AttachChannel__Output } from '../../trainyard/v1/AttachChannel.ts';

export interface OpenChannel {
  'channelId'?: (string);
  'logs'?: (_trainyard_v1_LogChannel | null);
  'attach'?: (_trainyard_v1_AttachChannel | null);
  'purpose'?: "logs"|"attach";
}

export interface OpenChannel__Output {
  'channelId': (string);
  'logs'?: (_trainyard_v1_LogChannel__Output | null);
  'attach'?: (_trainyard_v1_AttachChannel__Output | null);
  'purpose'?: "logs"|"attach";
}
