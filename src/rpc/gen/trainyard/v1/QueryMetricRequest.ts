// Original file: proto/trainyard/v1/tracker.proto

import type { Long } from '@grpc/proto-loader';

export interface QueryMetricRequest {
  'runId'?: (string);
  'metric'?: (string);
  'fromStep'?: (number | string | Long);
  'toStep'?: (number | string | Long);
  'points'?: (number);
  'includeSuperseded'?: (boolean);
  '_fromStep'?: "fromStep";
  '_toStep'?: "toStep";
}

export interface QueryMetricRequest__Output {
  'runId': (string);
  'metric': (string);
  'fromStep'?: (number);
  'toStep'?: (number);
  'points': (number);
  'includeSuperseded': (boolean);
  '_fromStep'?: "fromStep";
  '_toStep'?: "toStep";
}
