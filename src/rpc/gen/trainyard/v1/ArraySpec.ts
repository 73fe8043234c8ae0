// Original file: proto/trainyard/v1/jobs.proto


export interface ArraySpec {
  'indexes'?: (string);
  'parallel'?: (number);
}

export interface ArraySpec__Output {
  'indexes': (string);
  'parallel': (number);
}
