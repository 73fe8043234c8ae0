// Original file: proto/trainyard/v1/agents.proto


export interface LogChannel {
  'jobId'?: (string);
  'attempt'?: (number);
  'rank'?: (number);
  'follow'?: (boolean);
  'tailLines'?: (number);
}

export interface LogChannel__Output {
  'jobId': (string);
  'attempt': (number);
  'rank': (number);
  'follow': (boolean);
  'tailLines': (number);
}
