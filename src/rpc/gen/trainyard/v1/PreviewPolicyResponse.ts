// Original file: proto/trainyard/v1/policy.proto

import type { Policy as _trainyard_v1_Policy, Policy__Output as _trainyard_v1_Policy__Output } from '../../trainyard/v1/Policy.ts';
import type { Outlook as _trainyard_v1_Outlook, Outlook__Output as _trainyard_v1_Outlook__Output } from '../../trainyard/v1/Outlook.ts';

export interface PreviewPolicyResponse {
  'policy'?: (_trainyard_v1_Policy | null);
  'outlook'?: (_trainyard_v1_Outlook | null);
}

export interface PreviewPolicyResponse__Output {
  'policy': (_trainyard_v1_Policy__Output | null);
  'outlook': (_trainyard_v1_Outlook__Output | null);
}
