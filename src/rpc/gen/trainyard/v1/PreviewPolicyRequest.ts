// Original file: proto/trainyard/v1/policy.proto

import type { Policy as _trainyard_v1_Policy, Policy__Output as _trainyard_v1_Policy__Output } from '../../trainyard/v1/Policy.ts';

export interface PreviewPolicyRequest {
  'policy'?: (_trainyard_v1_Policy | null);
}

export interface PreviewPolicyRequest__Output {
  'policy': (_trainyard_v1_Policy__Output | null);
}
