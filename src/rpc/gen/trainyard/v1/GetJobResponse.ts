// Original file: proto/trainyard/v1/jobs.proto

import type { Job as _trainyard_v1_Job, Job__Output as _trainyard_v1_Job__Output } from '../../trainyard/v1/Job.ts';

export interface GetJobResponse {
  'job'?: (_trainyard_v1_Job | null);
}

export interface GetJobResponse__Output {
  'job': (_trainyard_v1_Job__Output | null);
}
