// Original file: proto/trainyard/v1/jobs.proto

import type { TaskPlacement as _trainyard_v1_TaskPlacement, TaskPlacement__Output as _trainyard_v1_TaskPlacement__Output } from '../../trainyard/v1/TaskPlacement.ts';
import type { PlannedPreemption as _trainyard_v1_PlannedPreemption, PlannedPreemption__Output as _trainyard_v1_PlannedPreemption__Output } from '../../trainyard/v1/PlannedPreemption.ts';
import type { Hold as _trainyard_v1_Hold, Hold__Output as _trainyard_v1_Hold__Output } from '../../trainyard/v1/Hold.ts';
import type { StartEstimate as _trainyard_v1_StartEstimate, StartEstimate__Output as _trainyard_v1_StartEstimate__Output } from '../../trainyard/v1/StartEstimate.ts';

export interface PreviewJobResponse {
  'verdict'?: (string);
  'placement'?: (_trainyard_v1_TaskPlacement)[];
  'preemptions'?: (_trainyard_v1_PlannedPreemption)[];
  'hold'?: (_trainyard_v1_Hold | null);
  'lines'?: (string)[];
  'position'?: (number);
  'ahead'?: (string)[];
  'remedy'?: (string);
  'estimate'?: (_trainyard_v1_StartEstimate | null);
}

export interface PreviewJobResponse__Output {
  'verdict': (string);
  'placement': (_trainyard_v1_TaskPlacement__Output)[];
  'preemptions': (_trainyard_v1_PlannedPreemption__Output)[];
  'hold': (_trainyard_v1_Hold__Output | null);
  'lines': (string)[];
  'position': (number);
  'ahead': (string)[];
  'remedy': (string);
  'estimate': (_trainyard_v1_StartEstimate__Output | null);
}
