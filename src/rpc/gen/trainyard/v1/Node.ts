// Original file: proto/trainyard/v1/nodes.proto

import type { Gpu as _trainyard_v1_Gpu, Gpu__Output as _trainyard_v1_Gpu__Output } from '../../trainyard/v1/Gpu.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { NodeCondition as _trainyard_v1_NodeCondition, NodeCondition__Output as _trainyard_v1_NodeCondition__Output } from '../../trainyard/v1/NodeCondition.ts';
import type { ClockOffset as _trainyard_v1_ClockOffset, ClockOffset__Output as _trainyard_v1_ClockOffset__Output } from '../../trainyard/v1/ClockOffset.ts';
import type { Long } from '@grpc/proto-loader';

export interface Node {
  'name'?: (string);
  'address'?: (string);
  'health'?: (string);
  'schedulability'?: (string);
  'note'?: (string);
  'gpus'?: (_trainyard_v1_Gpu)[];
  'cpuMilli'?: (number | string | Long);
  'memoryMib'?: (number | string | Long);
  'labels'?: ({[key: string]: string});
  'agentVersion'?: (string);
  'registeredAt'?: (_google_protobuf_Timestamp | null);
  'jobs'?: (string)[];
  'isConnected'?: (boolean);
  'conditions'?: (_trainyard_v1_NodeCondition)[];
  'clock'?: (_trainyard_v1_ClockOffset | null);
  'isSpot'?: (boolean);
  'goesAt'?: (_google_protobuf_Timestamp | null);
  'rack'?: (string);
  'block'?: (string);
}

export interface Node__Output {
  'name': (string);
  'address': (string);
  'health': (string);
  'schedulability': (string);
  'note': (string);
  'gpus': (_trainyard_v1_Gpu__Output)[];
  'cpuMilli': (number);
  'memoryMib': (number);
  'labels': ({[key: string]: string});
  'agentVersion': (string);
  'registeredAt': (_google_protobuf_Timestamp__Output | null);
  'jobs': (string)[];
  'isConnected': (boolean);
  'conditions': (_trainyard_v1_NodeCondition__Output)[];
  'clock': (_trainyard_v1_ClockOffset__Output | null);
  'isSpot': (boolean);
  'goesAt': (_google_protobuf_Timestamp__Output | null);
  'rack': (string);
  'block': (string);
}
