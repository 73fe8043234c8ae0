// Original file: proto/trainyard/v1/tracker.proto


export interface UpdateRunRequest {
  'requestId'?: (string);
  'runId'?: (string);
  'status'?: (string);
  'params'?: ({[key: string]: string});
  'tags'?: ({[key: string]: string});
}

export interface UpdateRunRequest__Output {
  'requestId': (string);
  'runId': (string);
  'status': (string);
  'params': ({[key: string]: string});
  'tags': ({[key: string]: string});
}
