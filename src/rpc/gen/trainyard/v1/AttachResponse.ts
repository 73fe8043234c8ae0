// Original file: proto/trainyard/v1/jobs.proto


export interface AttachResponse {
  'output'?: (Buffer | Uint8Array | string);
  'exitCode'?: (number);
  'message'?: "output"|"exitCode";
}

export interface AttachResponse__Output {
  'output'?: (Buffer);
  'exitCode'?: (number);
  'message'?: "output"|"exitCode";
}
