// Original file: proto/trainyard/v1/policy.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApplyPolicyRequest as _trainyard_v1_ApplyPolicyRequest, ApplyPolicyRequest__Output as _trainyard_v1_ApplyPolicyRequest__Output } from '../../trainyard/v1/ApplyPolicyRequest.ts';
import type { ApplyPolicyResponse as _trainyard_v1_ApplyPolicyResponse, ApplyPolicyResponse__Output as _trainyard_v1_ApplyPolicyResponse__Output } from '../../trainyard/v1/ApplyPolicyResponse.ts';
import type { GetPolicyRequest as _trainyard_v1_GetPolicyRequest, GetPolicyRequest__Output as _trainyard_v1_GetPolicyRequest__Output } from '../../trainyard/v1/GetPolicyRequest.ts';
import type { GetPolicyResponse as _trainyard_v1_GetPolicyResponse, GetPolicyResponse__Output as _trainyard_v1_GetPolicyResponse__Output } from '../../trainyard/v1/GetPolicyResponse.ts';
import type { PreviewPolicyRequest as _trainyard_v1_PreviewPolicyRequest, PreviewPolicyRequest__Output as _trainyard_v1_PreviewPolicyRequest__Output } from '../../trainyard/v1/PreviewPolicyRequest.ts';
import type { PreviewPolicyResponse as _trainyard_v1_PreviewPolicyResponse, PreviewPolicyResponse__Output as _trainyard_v1_PreviewPolicyResponse__Output } from '../../trainyard/v1/PreviewPolicyResponse.ts';

export interface PolicyServiceClient extends grpc.Client {
  ApplyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  ApplyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  ApplyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  ApplyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  applyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  applyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  applyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  applyPolicy(argument: _trainyard_v1_ApplyPolicyRequest, callback: grpc.requestCallback<_trainyard_v1_ApplyPolicyResponse__Output>): grpc.ClientUnaryCall;
  
  GetPolicy(argument: _trainyard_v1_GetPolicyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  GetPolicy(argument: _trainyard_v1_GetPolicyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  GetPolicy(argument: _trainyard_v1_GetPolicyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  GetPolicy(argument: _trainyard_v1_GetPolicyRequest, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  getPolicy(argument: _trainyard_v1_GetPolicyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  getPolicy(argument: _trainyard_v1_GetPolicyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  getPolicy(argument: _trainyard_v1_GetPolicyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  getPolicy(argument: _trainyard_v1_GetPolicyRequest, callback: grpc.requestCallback<_trainyard_v1_GetPolicyResponse__Output>): grpc.ClientUnaryCall;
  
  PreviewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  PreviewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  PreviewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  PreviewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  previewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  previewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  previewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  previewPolicy(argument: _trainyard_v1_PreviewPolicyRequest, callback: grpc.requestCallback<_trainyard_v1_PreviewPolicyResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface PolicyServiceHandlers extends grpc.UntypedServiceImplementation {
  ApplyPolicy: grpc.handleUnaryCall<_trainyard_v1_ApplyPolicyRequest__Output, _trainyard_v1_ApplyPolicyResponse>;
  
  GetPolicy: grpc.handleUnaryCall<_trainyard_v1_GetPolicyRequest__Output, _trainyard_v1_GetPolicyResponse>;
  
  PreviewPolicy: grpc.handleUnaryCall<_trainyard_v1_PreviewPolicyRequest__Output, _trainyard_v1_PreviewPolicyResponse>;
  
}

export interface PolicyServiceDefinition extends grpc.ServiceDefinition {
  ApplyPolicy: MethodDefinition<_trainyard_v1_ApplyPolicyRequest, _trainyard_v1_ApplyPolicyResponse, _trainyard_v1_ApplyPolicyRequest__Output, _trainyard_v1_ApplyPolicyResponse__Output>
  GetPolicy: MethodDefinition<_trainyard_v1_GetPolicyRequest, _trainyard_v1_GetPolicyResponse, _trainyard_v1_GetPolicyRequest__Output, _trainyard_v1_GetPolicyResponse__Output>
  PreviewPolicy: MethodDefinition<_trainyard_v1_PreviewPolicyRequest, _trainyard_v1_PreviewPolicyResponse, _trainyard_v1_PreviewPolicyRequest__Output, _trainyard_v1_PreviewPolicyResponse__Output>
}
