// Original file: proto/trainyard/v1/tracker.proto

import type { Points as _trainyard_v1_Points, Points__Output as _trainyard_v1_Points__Output } from '../../trainyard/v1/Points.ts';
import type { Long } from '@grpc/proto-loader';

export interface MetricBatch {
  'runId'?: (string);
  'source'?: (string);
  'fromPosition'?: (number | string | Long);
  'toPosition'?: (number | string | Long);
  'attempt'?: (number);
  'metrics'?: (string)[];
  'points'?: (_trainyard_v1_Points | null);
}

export interface MetricBatch__Output {
  'runId': (string);
  'source': (string);
  'fromPosition': (number);
  'toPosition': (number);
  'attempt': (number);
  'metrics': (string)[];
  'points': (_trainyard_v1_Points__Output | null);
}
