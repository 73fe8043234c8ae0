// Original file: proto/trainyard/v1/jobs.proto


export interface SubmitJobResponse {
  'jobId'?: (string);
  'isRepeat'?: (boolean);
}

export interface SubmitJobResponse__Output {
  'jobId': (string);
  'isRepeat': (boolean);
}
