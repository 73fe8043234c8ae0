// Original file: proto/trainyard/v1/tracker.proto


export interface ListRunsRequest {
  'experiment'?: (string);
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListRunsRequest__Output {
  'experiment': (string);
  'pageSize': (number);
  'pageToken': (string);
}
