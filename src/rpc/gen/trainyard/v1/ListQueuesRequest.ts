// Original file: proto/trainyard/v1/queues.proto


export interface ListQueuesRequest {
}

export interface ListQueuesRequest__Output {
}
