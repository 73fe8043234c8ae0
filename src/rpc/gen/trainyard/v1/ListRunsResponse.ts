// Original file: proto/trainyard/v1/tracker.proto

import type { Run as _trainyard_v1_Run, Run__Output as _trainyard_v1_Run__Output } from '../../trainyard/v1/Run.ts';

export interface ListRunsResponse {
  'runs'?: (_trainyard_v1_Run)[];
  'nextToken'?: (string);
}

export interface ListRunsResponse__Output {
  'runs': (_trainyard_v1_Run__Output)[];
  'nextToken': (string);
}
