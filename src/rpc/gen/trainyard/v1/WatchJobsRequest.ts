// Original file: proto/trainyard/v1/jobs.proto


export interface WatchJobsRequest {
  'jobs'?: (string)[];
}

export interface WatchJobsRequest__Output {
  'jobs': (string)[];
}
