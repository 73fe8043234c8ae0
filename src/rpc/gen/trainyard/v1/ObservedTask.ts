// Original file: proto/trainyard/v1/agents.proto

import type { TaskExit as _trainyard_v1_TaskExit, TaskExit__Output as _trainyard_v1_TaskExit__Output } from '../../trainyard/v1/TaskExit.ts';
import type { Endpoint as _trainyard_v1_Endpoint, Endpoint__Output as _trainyard_v1_Endpoint__Output } from '../../trainyard/v1/Endpoint.ts';
import type { StoredPart as _trainyard_v1_StoredPart, StoredPart__Output as _trainyard_v1_StoredPart__Output } from '../../trainyard/v1/StoredPart.ts';

export interface ObservedTask {
  'jobId'?: (string);
  'attempt'?: (number);
  'rank'?: (number);
  'state'?: (string);
  'exit'?: (_trainyard_v1_TaskExit | null);
  'rendezvous'?: (_trainyard_v1_Endpoint | null);
  'parts'?: (_trainyard_v1_StoredPart)[];
}

export interface ObservedTask__Output {
  'jobId': (string);
  'attempt': (number);
  'rank': (number);
  'state': (string);
  'exit': (_trainyard_v1_TaskExit__Output | null);
  'rendezvous': (_trainyard_v1_Endpoint__Output | null);
  'parts': (_trainyard_v1_StoredPart__Output)[];
}
