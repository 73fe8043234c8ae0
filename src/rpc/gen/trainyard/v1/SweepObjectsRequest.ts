// Original file: proto/trainyard/v1/checkpoints.proto


export interface SweepObjectsRequest {
  'dryRun'?: (boolean);
}

export interface SweepObjectsRequest__Output {
  'dryRun': (boolean);
}
