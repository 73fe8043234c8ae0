// Original file: proto/trainyard/v1/agents.proto

import type { StopOrder as _trainyard_v1_StopOrder, StopOrder__Output as _trainyard_v1_StopOrder__Output } from '../../trainyard/v1/StopOrder.ts';
import type { JobSpec as _trainyard_v1_JobSpec, JobSpec__Output as _trainyard_v1_JobSpec__Output } from '../../trainyard/v1/JobSpec.ts';
import type { Endpoint as _trainyard_v1_Endpoint, Endpoint__Output as _trainyard_v1_Endpoint__Output } from '../../trainyard/v1/Endpoint.ts';
import type { ResumeFrom as _trainyard_v1_ResumeFrom, ResumeFrom__Output as _trainyard_v1_ResumeFrom__Output } from '../../trainyard/v1/ResumeFrom.ts';
import type { Long } from '@grpc/proto-loader';

export interface DesiredTask {
  'jobId'?: (string);
  'attempt'?: (number);
  'rank'?: (number);
  'stop'?: (_trainyard_v1_StopOrder | null);
  'spec'?: (_trainyard_v1_JobSpec | null);
  'gpus'?: (number)[];
  'nodeNames'?: (string)[];
  'rendezvous'?: (_trainyard_v1_Endpoint | null);
  'resume'?: (_trainyard_v1_ResumeFrom | null);
  'committedCheckpoints'?: (string)[];
  'dedupeAgainst'?: (_trainyard_v1_ResumeFrom | null);
  'runId'?: (string);
  'gatheringSteps'?: (number | string | Long)[];
}

export interface DesiredTask__Output {
  'jobId': (string);
  'attempt': (number);
  'rank': (number);
  'stop': (_trainyard_v1_StopOrder__Output | null);
  'spec': (_trainyard_v1_JobSpec__Output | null);
  'gpus': (number)[];
  'nodeNames': (string)[];
  'rendezvous': (_trainyard_v1_Endpoint__Output | null);
  'resume': (_trainyard_v1_ResumeFrom__Output | null);
  'committedCheckpoints': (string)[];
  'dedupeAgainst': (_trainyard_v1_ResumeFrom__Output | null);
  'runId': (string);
  'gatheringSteps': (number)[];
}
