// Original file: proto/trainyard/v1/tracker.proto


export interface GetSourcePositionRequest {
  'source'?: (string);
}

export interface GetSourcePositionRequest__Output {
  'source': (string);
}
