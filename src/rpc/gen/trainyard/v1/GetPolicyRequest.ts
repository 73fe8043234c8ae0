// Original file: proto/trainyard/v1/policy.proto


export interface GetPolicyRequest {
}

export interface GetPolicyRequest__Output {
}
