// Original file: proto/trainyard/v1/jobs.proto

import type { Job as _trainyard_v1_Job, Job__Output as _trainyard_v1_Job__Output } from '../../trainyard/v1/Job.ts';
import type { JobArray as _trainyard_v1_JobArray, JobArray__Output as _trainyard_v1_JobArray__Output } from '../../trainyard/v1/JobArray.ts';

export interface ExplainJobResponse {
  'job'?: (_trainyard_v1_Job | null);
  'lines'?: (string)[];
  'position'?: (number);
  'ahead'?: (string)[];
  'remedy'?: (string);
  'array'?: (_trainyard_v1_JobArray | null);
}

export interface ExplainJobResponse__Output {
  'job': (_trainyard_v1_Job__Output | null);
  'lines': (string)[];
  'position': (number);
  'ahead': (string)[];
  'remedy': (string);
  'array': (_trainyard_v1_JobArray__Output | null);
}
