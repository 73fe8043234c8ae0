// Original file: proto/trainyard/v1/common.proto


export interface Page {
  'size'?: (number);
  'token'?: (string);
}

export interface Page__Output {
  'size': (number);
  'token': (string);
}
