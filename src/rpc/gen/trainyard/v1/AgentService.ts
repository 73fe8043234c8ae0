// Original file: proto/trainyard/v1/agents.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentMessage as _trainyard_v1_AgentMessage, AgentMessage__Output as _trainyard_v1_AgentMessage__Output } from '../../trainyard/v1/AgentMessage.ts';
import type { ChannelFrame as _trainyard_v1_ChannelFrame, ChannelFrame__Output as _trainyard_v1_ChannelFrame__Output } from '../../trainyard/v1/ChannelFrame.ts';
import type { SchedulerMessage as _trainyard_v1_SchedulerMessage, SchedulerMessage__Output as _trainyard_v1_SchedulerMessage__Output } from '../../trainyard/v1/SchedulerMessage.ts';

export interface AgentServiceClient extends grpc.Client {
  Channel(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_ChannelFrame, _trainyard_v1_ChannelFrame__Output>;
  Channel(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_ChannelFrame, _trainyard_v1_ChannelFrame__Output>;
  channel(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_ChannelFrame, _trainyard_v1_ChannelFrame__Output>;
  channel(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_ChannelFrame, _trainyard_v1_ChannelFrame__Output>;
  
  Connect(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AgentMessage, _trainyard_v1_SchedulerMessage__Output>;
  Connect(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AgentMessage, _trainyard_v1_SchedulerMessage__Output>;
  connect(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AgentMessage, _trainyard_v1_SchedulerMessage__Output>;
  connect(options?: grpc.CallOptions): grpc.ClientDuplexStream<_trainyard_v1_AgentMessage, _trainyard_v1_SchedulerMessage__Output>;
  
}

export interface AgentServiceHandlers extends grpc.UntypedServiceImplementation {
  Channel: grpc.handleBidiStreamingCall<_trainyard_v1_ChannelFrame__Output, _trainyard_v1_ChannelFrame>;
  
  Connect: grpc.handleBidiStreamingCall<_trainyard_v1_AgentMessage__Output, _trainyard_v1_SchedulerMessage>;
  
}

export interface AgentServiceDefinition extends grpc.ServiceDefinition {
  Channel: MethodDefinition<_trainyard_v1_ChannelFrame, _trainyard_v1_ChannelFrame, _trainyard_v1_ChannelFrame__Output, _trainyard_v1_ChannelFrame__Output>
  Connect: MethodDefinition<_trainyard_v1_AgentMessage, _trainyard_v1_SchedulerMessage, _trainyard_v1_AgentMessage__Output, _trainyard_v1_SchedulerMessage__Output>
}
