// Original file: proto/trainyard/v1/jobs.proto

import type { Job as _trainyard_v1_Job, Job__Output as _trainyard_v1_Job__Output } from '../../trainyard/v1/Job.ts';

export interface ListJobsResponse {
  'jobs'?: (_trainyard_v1_Job)[];
  'nextToken'?: (string);
}

export interface ListJobsResponse__Output {
  'jobs': (_trainyard_v1_Job__Output)[];
  'nextToken': (string);
}
