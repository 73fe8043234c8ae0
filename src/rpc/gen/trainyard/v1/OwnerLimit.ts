// Original file: proto/trainyard/v1/policy.proto

import type { Long } from '@grpc/proto-loader';

export interface OwnerLimit {
  'queued'?: (number | string | Long);
  'running'?: (number | string | Long);
  'gpus'?: (number | string | Long);
  '_queued'?: "queued";
  '_running'?: "running";
  '_gpus'?: "gpus";
}

export interface OwnerLimit__Output {
  'queued'?: (number);
  'running'?: (number);
  'gpus'?: (number);
  '_queued'?: "queued";
  '_running'?: "running";
  '_gpus'?: "gpus";
}
