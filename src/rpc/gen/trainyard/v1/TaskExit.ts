// Original file: proto/trainyard/v1/common.proto


export interface TaskExit {
  'reason'?: (string);
  'code'?: (number);
  'message'?: (string);
}

export interface TaskExit__Output {
  'reason': (string);
  'code': (number);
  'message': (string);
}
