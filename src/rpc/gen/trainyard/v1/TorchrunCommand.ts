// Original file: proto/trainyard/v1/jobs.proto


export interface TorchrunCommand {
  'script'?: (string);
  'args'?: (string)[];
  'procsPerNode'?: (number);
  'python'?: (string);
}

export interface TorchrunCommand__Output {
  'script': (string);
  'args': (string)[];
  'procsPerNode': (number);
  'python': (string);
}
