// Original file: proto/trainyard/v1/agents.proto

import type { ReadLogsResponse as _trainyard_v1_ReadLogsResponse, ReadLogsResponse__Output as _trainyard_v1_ReadLogsResponse__Output } from '../../trainyard/v1/ReadLogsResponse.ts';
import type { TerminalSize as _trainyard_v1_TerminalSize, TerminalSize__Output as _trainyard_v1_TerminalSize__Output } from '../../trainyard/v1/TerminalSize.ts';

export interface ChannelFrame {
  'channelId'?: (string);
  'log'?: (_trainyard_v1_ReadLogsResponse | null);
  'output'?: (Buffer | Uint8Array | string);
  'exitCode'?: (number);
  'input'?: (Buffer | Uint8Array | string);
  'resize'?: (_trainyard_v1_TerminalSize | null);
  'error'?: (string);
  'payload'?: "log"|"output"|"exitCode"|"input"|"resize"|"error";
}

export interface ChannelFrame__Output {
  'channelId': (string);
  'log'?: (_trainyard_v1_ReadLogsResponse__Output | null);
  'output'?: (Buffer);
  'exitCode'?: (number);
  'input'?: (Buffer);
  'resize'?: (_trainyard_v1_TerminalSize__Output | null);
  'error'?: (string);
  'payload'?: "log"|"output"|"exitCode"|"input"|"resize"|"error";
}
