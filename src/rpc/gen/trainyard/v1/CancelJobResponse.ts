// Original file: proto/trainyard/v1/jobs.proto


export interface CancelJobResponse {
  'jobId'?: (string);
}

export interface CancelJobResponse__Output {
  'jobId': (string);
}
