// Original file: proto/trainyard/v1/nodes.proto


export interface NodeCondition {
  'kind'?: (string);
  'message'?: (string);
}

export interface NodeCondition__Output {
  'kind': (string);
  'message': (string);
}
