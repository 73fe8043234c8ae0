// Original file: proto/trainyard/v1/jobs.proto


export interface CheckpointPolicy {
  'keep'?: (number);
  'patterns'?: (string)[];
}

export interface CheckpointPolicy__Output {
  'keep': (number);
  'patterns': (string)[];
}
