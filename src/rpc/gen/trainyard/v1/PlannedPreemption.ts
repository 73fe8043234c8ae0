// Original file: proto/trainyard/v1/common.proto


export interface PlannedPreemption {
  'job'?: (string);
  'queue'?: (string);
  'preemptor'?: (string);
  'kind'?: (string);
  'why'?: (string);
}

export interface PlannedPreemption__Output {
  'job': (string);
  'queue': (string);
  'preemptor': (string);
  'kind': (string);
  'why': (string);
}
