// Original file: proto/trainyard/v1/nodes.proto


export interface UncordonNodeResponse {
}

export interface UncordonNodeResponse__Output {
}
