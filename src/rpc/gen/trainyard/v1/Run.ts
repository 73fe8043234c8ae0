// Original file: proto/trainyard/v1/tracker.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Run {
  'id'?: (string);
  'experiment'?: (string);
  'name'?: (string);
  'tenant'?: (string);
  'user'?: (string);
  'status'?: (string);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'params'?: ({[key: string]: string});
  'tags'?: ({[key: string]: string});
  'metrics'?: (string)[];
}

export interface Run__Output {
  'id': (string);
  'experiment': (string);
  'name': (string);
  'tenant': (string);
  'user': (string);
  'status': (string);
  'startedAt': (_google_protobuf_Timestamp__Output | null);
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  'params': ({[key: string]: string});
  'tags': ({[key: string]: string});
  'metrics': (string)[];
}
