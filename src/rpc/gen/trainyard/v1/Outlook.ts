// Original file: proto/trainyard/v1/common.proto

import type { PlannedPreemption as _trainyard_v1_PlannedPreemption, PlannedPreemption__Output as _trainyard_v1_PlannedPreemption__Output } from '../../trainyard/v1/PlannedPreemption.ts';
import type { StrandedJobs as _trainyard_v1_StrandedJobs, StrandedJobs__Output as _trainyard_v1_StrandedJobs__Output } from '../../trainyard/v1/StrandedJobs.ts';

export interface Outlook {
  'preemptions'?: (_trainyard_v1_PlannedPreemption)[];
  'starts'?: (number);
  'stranded'?: (_trainyard_v1_StrandedJobs)[];
}

export interface Outlook__Output {
  'preemptions': (_trainyard_v1_PlannedPreemption__Output)[];
  'starts': (number);
  'stranded': (_trainyard_v1_StrandedJobs__Output)[];
}
