// Original file: proto/trainyard/v1/jobs.proto

import type { AttachOpen as _trainyard_v1_AttachOpen, AttachOpen__Output as _trainyard_v1_AttachOpen__Output } from '../../trainyard/v1/AttachOpen.ts';
import type { TerminalSize as _trainyard_v1_TerminalSize, TerminalSize__Output as _trainyard_v1_TerminalSize__Output } from '../../trainyard/v1/TerminalSize.ts';

export interface AttachRequest {
  'open'?: (_trainyard_v1_AttachOpen | null);
  'input'?: (Buffer | Uint8Array | string);
  'resize'?: (_trainyard_v1_TerminalSize | null);
  'message'?: "open"|"input"|"resize";
}

export interface AttachRequest__Output {
  'open'?: (_trainyard_v1_AttachOpen__Output | null);
  'input'?: (Buffer);
  'resize'?: (_trainyard_v1_TerminalSize__Output | null);
  'message'?: "open"|"input"|"resize";
}
