// Original file: proto/trainyard/v1/nodes.proto


export interface CordonNodeRequest {
  'requestId'?: (string);
  'node'?: (string);
  'note'?: (string);
}

export interface CordonNodeRequest__Output {
  'requestId': (string);
  'node': (string);
  'note': (string);
}
