// Original file: proto/trainyard/v1/jobs.proto


export interface GetJobRequest {
  'job'?: (string);
}

export interface GetJobRequest__Output {
  'job': (string);
}
