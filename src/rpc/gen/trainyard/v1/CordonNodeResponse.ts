// Original file: proto/trainyard/v1/nodes.proto


export interface CordonNodeResponse {
}

export interface CordonNodeResponse__Output {
}
