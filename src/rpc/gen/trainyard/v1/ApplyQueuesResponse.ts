// Original file: proto/trainyard/v1/queues.proto


export interface ApplyQueuesResponse {
}

export interface ApplyQueuesResponse__Output {
}
