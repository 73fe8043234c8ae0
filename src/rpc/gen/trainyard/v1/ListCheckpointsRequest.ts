// Original file: proto/trainyard/v1/checkpoints.proto


export interface ListCheckpointsRequest {
  'job'?: (string);
}

export interface ListCheckpointsRequest__Output {
  'job': (string);
}
