// Original file: proto/trainyard/v1/nodes.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface NoticeNodeRequest {
  'requestId'?: (string);
  'node'?: (string);
  'note'?: (string);
  'in'?: (_google_protobuf_Duration | null);
}

export interface NoticeNodeRequest__Output {
  'requestId': (string);
  'node': (string);
  'note': (string);
  'in': (_google_protobuf_Duration__Output | null);
}
