// Original file: proto/trainyard/v1/tracker.proto


export interface LatestMetricsRequest {
  'runId'?: (string);
}

export interface LatestMetricsRequest__Output {
  'runId': (string);
}
