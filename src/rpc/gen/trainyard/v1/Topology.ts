// Original file: proto/trainyard/v1/jobs.proto


export interface Topology {
  'level'?: (string);
  'mode'?: (string);
}

export interface Topology__Output {
  'level': (string);
  'mode': (string);
}
