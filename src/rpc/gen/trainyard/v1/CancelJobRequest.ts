// Original file: proto/trainyard/v1/jobs.proto


export interface CancelJobRequest {
  'requestId'?: (string);
  'job'?: (string);
  'why'?: (string);
}

export interface CancelJobRequest__Output {
  'requestId': (string);
  'job': (string);
  'why': (string);
}
