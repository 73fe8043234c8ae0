// Original file: proto/trainyard/v1/tracker.proto

import type { Points as _trainyard_v1_Points, Points__Output as _trainyard_v1_Points__Output } from '../../trainyard/v1/Points.ts';

export interface LogMetricsRequest {
  'requestId'?: (string);
  'runId'?: (string);
  'metrics'?: (string)[];
  'points'?: (_trainyard_v1_Points | null);
}

export interface LogMetricsRequest__Output {
  'requestId': (string);
  'runId': (string);
  'metrics': (string)[];
  'points': (_trainyard_v1_Points__Output | null);
}
