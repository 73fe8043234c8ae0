// Original file: proto/trainyard/v1/jobs.proto

import type { Long } from '@grpc/proto-loader';

export interface ReadLogsResponse {
  'attempt'?: (number);
  'rank'?: (number);
  'node'?: (string);
  'stream'?: (string);
  'offset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
}

export interface ReadLogsResponse__Output {
  'attempt': (number);
  'rank': (number);
  'node': (string);
  'stream': (string);
  'offset': (number);
  'data': (Buffer);
}
