// Original file: proto/trainyard/v1/tracker.proto


export interface LogMetricsResponse {
}

export interface LogMetricsResponse__Output {
}
