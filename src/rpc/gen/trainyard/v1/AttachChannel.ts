// Original file: proto/trainyard/v1/agents.proto

import type { TerminalSize as _trainyard_v1_TerminalSize, TerminalSize__Output as _trainyard_v1_TerminalSize__Output } from '../../trainyard/v1/TerminalSize.ts';

export interface AttachChannel {
  'jobId'?: (string);
  'attempt'?: (number);
  'rank'?: (number);
  'size'?: (_trainyard_v1_TerminalSize | null);
  'argv'?: (string)[];
}

export interface AttachChannel__Output {
  'jobId': (string);
  'attempt': (number);
  'rank': (number);
  'size': (_trainyard_v1_TerminalSize__Output | null);
  'argv': (string)[];
}
