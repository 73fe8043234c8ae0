// Original file: proto/trainyard/v1/tracker.proto

import type { Run as _trainyard_v1_Run, Run__Output as _trainyard_v1_Run__Output } from '../../trainyard/v1/Run.ts';

export interface UpdateRunResponse {
  'run'?: (_trainyard_v1_Run | null);
}

export interface UpdateRunResponse__Output {
  'run': (_trainyard_v1_Run__Output | null);
}
