// Original file: proto/trainyard/v1/policy.proto


export interface ApplyPolicyResponse {
}

export interface ApplyPolicyResponse__Output {
}
