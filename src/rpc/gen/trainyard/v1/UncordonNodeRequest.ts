// Original file: proto/trainyard/v1/nodes.proto


export interface UncordonNodeRequest {
  'requestId'?: (string);
  'node'?: (string);
}

export interface UncordonNodeRequest__Output {
  'requestId': (string);
  'node': (string);
}
