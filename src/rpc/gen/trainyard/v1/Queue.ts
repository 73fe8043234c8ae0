// Original file: proto/trainyard/v1/queues.proto

import type { QueueSpec as _trainyard_v1_QueueSpec, QueueSpec__Output as _trainyard_v1_QueueSpec__Output } from '../../trainyard/v1/QueueSpec.ts';

export interface Queue {
  'spec'?: (_trainyard_v1_QueueSpec | null);
  'allocatedGpus'?: (number);
  'pendingJobs'?: (number);
  'pendingGpus'?: (number);
  'runningJobs'?: (number);
  'fairShareGpus'?: (number | string);
  'usageGpuHours'?: (number | string);
  'heldShare'?: (number | string);
  'heldResource'?: (string);
  'dueShare'?: (number | string);
  'dueResource'?: (string);
  'demandGpus'?: (number | string);
  'accountGpuHours'?: (number | string);
}

export interface Queue__Output {
  'spec': (_trainyard_v1_QueueSpec__Output | null);
  'allocatedGpus': (number);
  'pendingJobs': (number);
  'pendingGpus': (number);
  'runningJobs': (number);
  'fairShareGpus': (number);
  'usageGpuHours': (number);
  'heldShare': (number);
  'heldResource': (string);
  'dueShare': (number);
  'dueResource': (string);
  'demandGpus': (number);
  'accountGpuHours': (number);
}
