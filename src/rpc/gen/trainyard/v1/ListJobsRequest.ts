// Original file: proto/trainyard/v1/jobs.proto

import type { Page as _trainyard_v1_Page, Page__Output as _trainyard_v1_Page__Output } from '../../trainyard/v1/Page.ts';

export interface ListJobsRequest {
  'page'?: (_trainyard_v1_Page | null);
  'queue'?: (string);
  'user'?: (string);
  'phases'?: (string)[];
  'includeEnded'?: (boolean);
  'array'?: (string);
}

export interface ListJobsRequest__Output {
  'page': (_trainyard_v1_Page__Output | null);
  'queue': (string);
  'user': (string);
  'phases': (string)[];
  'includeEnded': (boolean);
  'array': (string);
}
