// Original file: proto/trainyard/v1/nodes.proto


export interface RemoveNodeRequest {
  'requestId'?: (string);
  'node'?: (string);
}

export interface RemoveNodeRequest__Output {
  'requestId': (string);
  'node': (string);
}
