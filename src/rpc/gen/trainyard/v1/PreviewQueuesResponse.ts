// Original file: proto/trainyard/v1/queues.proto

import type { Outlook as _trainyard_v1_Outlook, Outlook__Output as _trainyard_v1_Outlook__Output } from '../../trainyard/v1/Outlook.ts';

export interface PreviewQueuesResponse {
  'outlook'?: (_trainyard_v1_Outlook | null);
}

export interface PreviewQueuesResponse__Output {
  'outlook': (_trainyard_v1_Outlook__Output | null);
}
