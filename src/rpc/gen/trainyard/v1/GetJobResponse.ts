// Original file: proto/trainyard/v1/jobs.proto

import type { Job as _trainyard_v1_Job, Job__Output as _trainyard_v1_Job__Output } from '../../trainyard/v1/Job.ts';
import type { JobArray as _trainyard_v1_JobArray, JobArray__Output as _trainyard_v1_JobArray__Output } from '../../trainyard/v1/JobArray.ts';

export interface GetJobResponse {
  'job'?: (_trainyard_v1_Job | null);
  'array'?: (_trainyard_v1_JobArray | null);
}

export interface GetJobResponse__Output {
  'job': (_trainyard_v1_Job__Output | null);
  'array': (_trainyard_v1_JobArray__Output | null);
}
