// Original file: proto/trainyard/v1/jobs.proto


export interface ExplainJobRequest {
  'job'?: (string);
}

export interface ExplainJobRequest__Output {
  'job': (string);
}
