// Original file: proto/trainyard/v1/jobs.proto


export interface ExecCommand {
  'argv'?: (string)[];
}

export interface ExecCommand__Output {
  'argv': (string)[];
}
