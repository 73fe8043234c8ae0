// Original file: proto/trainyard/v1/common.proto


export interface StrandedJobs {
  'queue'?: (string);
  'count'?: (number);
  'jobs'?: (string)[];
}

export interface StrandedJobs__Output {
  'queue': (string);
  'count': (number);
  'jobs': (string)[];
}
