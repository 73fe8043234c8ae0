// Original file: proto/trainyard/v1/nodes.proto


export interface RemoveNodeResponse {
}

export interface RemoveNodeResponse__Output {
}
