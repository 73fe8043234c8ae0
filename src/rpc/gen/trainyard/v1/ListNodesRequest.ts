// Original file: proto/trainyard/v1/nodes.proto


export interface ListNodesRequest {
}

export interface ListNodesRequest__Output {
}
