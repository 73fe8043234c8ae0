// Original file: proto/trainyard/v1/jobs.proto


export interface Dependency {
  'job'?: (string);
  'on'?: (string);
}

export interface Dependency__Output {
  'job': (string);
  'on': (string);
}
