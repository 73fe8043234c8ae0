// Original file: proto/trainyard/v1/queues.proto


export interface DeleteQueueResponse {
}

export interface DeleteQueueResponse__Output {
}
