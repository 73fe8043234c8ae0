// Original file: proto/trainyard/v1/queues.proto

import type { Queue as _trainyard_v1_Queue, Queue__Output as _trainyard_v1_Queue__Output } from '../../trainyard/v1/Queue.ts';

export interface ListQueuesResponse {
  'queues'?: (_trainyard_v1_Queue)[];
}

export interface ListQueuesResponse__Output {
  'queues': (_trainyard_v1_Queue__Output)[];
}
