// Original file: proto/trainyard/v1/agents.proto


export interface Endpoint {
  'host'?: (string);
  'port'?: (number);
}

export interface Endpoint__Output {
  'host': (string);
  'port': (number);
}
