// Original file: proto/trainyard/v1/jobs.proto


export interface ListJobEventsRequest {
  'job'?: (string);
}

export interface ListJobEventsRequest__Output {
  'job': (string);
}
