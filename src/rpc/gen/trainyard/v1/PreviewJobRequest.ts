// Original file: proto/trainyard/v1/jobs.proto

import type { JobSpec as _trainyard_v1_JobSpec, JobSpec__Output as _trainyard_v1_JobSpec__Output } from '../../trainyard/v1/JobSpec.ts';

export interface PreviewJobRequest {
  'spec'?: (_trainyard_v1_JobSpec | null);
}

export interface PreviewJobRequest__Output {
  'spec': (_trainyard_v1_JobSpec__Output | null);
}
