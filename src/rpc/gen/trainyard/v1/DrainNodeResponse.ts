// Original file: proto/trainyard/v1/nodes.proto


export interface DrainNodeResponse {
}

export interface DrainNodeResponse__Output {
}
