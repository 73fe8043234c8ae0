// Original file: proto/trainyard/v1/agents.proto

import type { AgentGpu as _trainyard_v1_AgentGpu, AgentGpu__Output as _trainyard_v1_AgentGpu__Output } from '../../trainyard/v1/AgentGpu.ts';
import type { NodeReport as _trainyard_v1_NodeReport, NodeReport__Output as _trainyard_v1_NodeReport__Output } from '../../trainyard/v1/NodeReport.ts';
import type { Long } from '@grpc/proto-loader';

export interface Hello {
  'node'?: (string);
  'instance'?: (string);
  'address'?: (string);
  'gpus'?: (_trainyard_v1_AgentGpu)[];
  'cpuMilli'?: (number | string | Long);
  'memoryMib'?: (number | string | Long);
  'labels'?: ({[key: string]: string});
  'version'?: (string);
  'report'?: (_trainyard_v1_NodeReport | null);
}

export interface Hello__Output {
  'node': (string);
  'instance': (string);
  'address': (string);
  'gpus': (_trainyard_v1_AgentGpu__Output)[];
  'cpuMilli': (number);
  'memoryMib': (number);
  'labels': ({[key: string]: string});
  'version': (string);
  'report': (_trainyard_v1_NodeReport__Output | null);
}
