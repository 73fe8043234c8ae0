// Original file: proto/trainyard/v1/jobs.proto


export interface HoldJobResponse {
  'jobId'?: (string);
}

export interface HoldJobResponse__Output {
  'jobId': (string);
}
