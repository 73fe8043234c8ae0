// Original file: proto/trainyard/v1/jobs.proto

import type { TerminalSize as _trainyard_v1_TerminalSize, TerminalSize__Output as _trainyard_v1_TerminalSize__Output } from '../../trainyard/v1/TerminalSize.ts';

export interface AttachOpen {
  'job'?: (string);
  'rank'?: (number);
  'size'?: (_trainyard_v1_TerminalSize | null);
  'argv'?: (string)[];
}

export interface AttachOpen__Output {
  'job': (string);
  'rank': (number);
  'size': (_trainyard_v1_TerminalSize__Output | null);
  'argv': (string)[];
}
