// Original file: proto/trainyard/v1/jobs.proto


export interface HoldJobRequest {
  'requestId'?: (string);
  'job'?: (string);
  'why'?: (string);
}

export interface HoldJobRequest__Output {
  'requestId': (string);
  'job': (string);
  'why': (string);
}
