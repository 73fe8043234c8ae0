// Original file: proto/trainyard/v1/jobs.proto


export interface ReleaseJobResponse {
  'jobId'?: (string);
}

export interface ReleaseJobResponse__Output {
  'jobId': (string);
}
