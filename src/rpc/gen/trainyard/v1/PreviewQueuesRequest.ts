// Original file: proto/trainyard/v1/queues.proto

import type { QueueSpec as _trainyard_v1_QueueSpec, QueueSpec__Output as _trainyard_v1_QueueSpec__Output } from '../../trainyard/v1/QueueSpec.ts';

export interface PreviewQueuesRequest {
  'queues'?: (_trainyard_v1_QueueSpec)[];
  'prune'?: (boolean);
}

export interface PreviewQueuesRequest__Output {
  'queues': (_trainyard_v1_QueueSpec__Output)[];
  'prune': (boolean);
}
