// Original file: proto/trainyard/v1/tracker.proto


export interface CreateRunRequest {
  'requestId'?: (string);
  'runId'?: (string);
  'experiment'?: (string);
  'name'?: (string);
  'params'?: ({[key: string]: string});
  'tags'?: ({[key: string]: string});
}

export interface CreateRunRequest__Output {
  'requestId': (string);
  'runId': (string);
  'experiment': (string);
  'name': (string);
  'params': ({[key: string]: string});
  'tags': ({[key: string]: string});
}
