// Original file: proto/trainyard/v1/jobs.proto

import type { Job as _trainyard_v1_Job, Job__Output as _trainyard_v1_Job__Output } from '../../trainyard/v1/Job.ts';
import type { JobArray as _trainyard_v1_JobArray, JobArray__Output as _trainyard_v1_JobArray__Output } from '../../trainyard/v1/JobArray.ts';
import type { StartEstimate as _trainyard_v1_StartEstimate, StartEstimate__Output as _trainyard_v1_StartEstimate__Output } from '../../trainyard/v1/StartEstimate.ts';
import type { PlannedPreemption as _trainyard_v1_PlannedPreemption, PlannedPreemption__Output as _trainyard_v1_PlannedPreemption__Output } from '../../trainyard/v1/PlannedPreemption.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface ExplainJobResponse {
  'job'?: (_trainyard_v1_Job | null);
  'lines'?: (string)[];
  'position'?: (number);
  'ahead'?: (string)[];
  'remedy'?: (string);
  'array'?: (_trainyard_v1_JobArray | null);
  'estimate'?: (_trainyard_v1_StartEstimate | null);
  'preemptions'?: (_trainyard_v1_PlannedPreemption)[];
  'preemptsFrom'?: (_google_protobuf_Timestamp | null);
}

export interface ExplainJobResponse__Output {
  'job': (_trainyard_v1_Job__Output | null);
  'lines': (string)[];
  'position': (number);
  'ahead': (string)[];
  'remedy': (string);
  'array': (_trainyard_v1_JobArray__Output | null);
  'estimate': (_trainyard_v1_StartEstimate__Output | null);
  'preemptions': (_trainyard_v1_PlannedPreemption__Output)[];
  'preemptsFrom': (_google_protobuf_Timestamp__Output | null);
}
