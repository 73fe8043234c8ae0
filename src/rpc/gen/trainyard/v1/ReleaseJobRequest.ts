// Original file: proto/trainyard/v1/jobs.proto


export interface ReleaseJobRequest {
  'requestId'?: (string);
  'job'?: (string);
}

export interface ReleaseJobRequest__Output {
  'requestId': (string);
  'job': (string);
}
