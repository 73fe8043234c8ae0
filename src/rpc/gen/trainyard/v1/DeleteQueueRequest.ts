// Original file: proto/trainyard/v1/queues.proto


export interface DeleteQueueRequest {
  'requestId'?: (string);
  'path'?: (string);
}

export interface DeleteQueueRequest__Output {
  'requestId': (string);
  'path': (string);
}
