// Original file: proto/trainyard/v1/nodes.proto


export interface NoticeNodeResponse {
}

export interface NoticeNodeResponse__Output {
}
