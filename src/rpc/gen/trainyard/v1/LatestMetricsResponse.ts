// Original file: proto/trainyard/v1/tracker.proto

import type { LatestMetric as _trainyard_v1_LatestMetric, LatestMetric__Output as _trainyard_v1_LatestMetric__Output } from '../../trainyard/v1/LatestMetric.ts';

export interface LatestMetricsResponse {
  'metrics'?: (_trainyard_v1_LatestMetric)[];
}

export interface LatestMetricsResponse__Output {
  'metrics': (_trainyard_v1_LatestMetric__Output)[];
}
