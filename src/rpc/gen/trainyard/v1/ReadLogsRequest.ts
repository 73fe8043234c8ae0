// Original file: proto/trainyard/v1/jobs.proto


export interface ReadLogsRequest {
  'job'?: (string);
  'attempt'?: (number);
  'rank'?: (number);
  'follow'?: (boolean);
  'tailLines'?: (number);
}

export interface ReadLogsRequest__Output {
  'job': (string);
  'attempt': (number);
  'rank': (number);
  'follow': (boolean);
  'tailLines': (number);
}
