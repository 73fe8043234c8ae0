// Original file: proto/trainyard/v1/jobs.proto

import type { JobEvent as _trainyard_v1_JobEvent, JobEvent__Output as _trainyard_v1_JobEvent__Output } from '../../trainyard/v1/JobEvent.ts';

export interface ListJobEventsResponse {
  'events'?: (_trainyard_v1_JobEvent)[];
  'hasMore'?: (boolean);
}

export interface ListJobEventsResponse__Output {
  'events': (_trainyard_v1_JobEvent__Output)[];
  'hasMore': (boolean);
}
