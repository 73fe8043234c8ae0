// Original file: proto/trainyard/v1/nodes.proto


export interface DrainNodeRequest {
  'requestId'?: (string);
  'node'?: (string);
  'note'?: (string);
}

export interface DrainNodeRequest__Output {
  'requestId': (string);
  'node': (string);
  'note': (string);
}
