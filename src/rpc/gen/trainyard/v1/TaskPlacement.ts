// Original file: proto/trainyard/v1/common.proto


export interface TaskPlacement {
  'node'?: (string);
  'gpus'?: (number)[];
}

export interface TaskPlacement__Output {
  'node': (string);
  'gpus': (number)[];
}
