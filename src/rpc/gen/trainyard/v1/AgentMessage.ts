// Original file: proto/trainyard/v1/agents.proto

import type { Hello as _trainyard_v1_Hello, Hello__Output as _trainyard_v1_Hello__Output } from '../../trainyard/v1/Hello.ts';
import type { Heartbeat as _trainyard_v1_Heartbeat, Heartbeat__Output as _trainyard_v1_Heartbeat__Output } from '../../trainyard/v1/Heartbeat.ts';
import type { NodeReport as _trainyard_v1_NodeReport, NodeReport__Output as _trainyard_v1_NodeReport__Output } from '../../trainyard/v1/NodeReport.ts';

export interface AgentMessage {
  'hello'?: (_trainyard_v1_Hello | null);
  'heartbeat'?: (_trainyard_v1_Heartbeat | null);
  'report'?: (_trainyard_v1_NodeReport | null);
  'message'?: "hello"|"heartbeat"|"report";
}

export interface AgentMessage__Output {
  'hello'?: (_trainyard_v1_Hello__Output | null);
  'heartbeat'?: (_trainyard_v1_Heartbeat__Output | null);
  'report'?: (_trainyard_v1_NodeReport__Output | null);
  'message'?: "hello"|"heartbeat"|"report";
}
