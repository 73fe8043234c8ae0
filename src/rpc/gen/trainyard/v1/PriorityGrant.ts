// Original file: proto/trainyard/v1/policy.proto


export interface PriorityGrant {
  'queues'?: (string)[];
  'tenants'?: (string)[];
  'users'?: (string)[];
}

export interface PriorityGrant__Output {
  'queues': (string)[];
  'tenants': (string)[];
  'users': (string)[];
}
