import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { AttachOpen as _trainyard_v1_AttachOpen, AttachOpen__Output as _trainyard_v1_AttachOpen__Output } from './trainyard/v1/AttachOpen.ts';
import type { AttachRequest as _trainyard_v1_AttachRequest, AttachRequest__Output as _trainyard_v1_AttachRequest__Output } from './trainyard/v1/AttachRequest.ts';
import type { AttachResponse as _trainyard_v1_AttachResponse, AttachResponse__Output as _trainyard_v1_AttachResponse__Output } from './trainyard/v1/AttachResponse.ts';
import type { Attempt as _trainyard_v1_Attempt, Attempt__Output as _trainyard_v1_Attempt__Output } from './trainyard/v1/Attempt.ts';
import type { CancelJobRequest as _trainyard_v1_CancelJobRequest, CancelJobRequest__Output as _trainyard_v1_CancelJobRequest__Output } from './trainyard/v1/CancelJobRequest.ts';
import type { CancelJobResponse as _trainyard_v1_CancelJobResponse, CancelJobResponse__Output as _trainyard_v1_CancelJobResponse__Output } from './trainyard/v1/CancelJobResponse.ts';
import type { Checkpoint as _trainyard_v1_Checkpoint, Checkpoint__Output as _trainyard_v1_Checkpoint__Output } from './trainyard/v1/Checkpoint.ts';
import type { CheckpointPolicy as _trainyard_v1_CheckpointPolicy, CheckpointPolicy__Output as _trainyard_v1_CheckpointPolicy__Output } from './trainyard/v1/CheckpointPolicy.ts';
import type { CheckpointServiceClient as _trainyard_v1_CheckpointServiceClient, CheckpointServiceDefinition as _trainyard_v1_CheckpointServiceDefinition } from './trainyard/v1/CheckpointService.ts';
import type { CodeBundle as _trainyard_v1_CodeBundle, CodeBundle__Output as _trainyard_v1_CodeBundle__Output } from './trainyard/v1/CodeBundle.ts';
import type { ExecCommand as _trainyard_v1_ExecCommand, ExecCommand__Output as _trainyard_v1_ExecCommand__Output } from './trainyard/v1/ExecCommand.ts';
import type { ExplainJobRequest as _trainyard_v1_ExplainJobRequest, ExplainJobRequest__Output as _trainyard_v1_ExplainJobRequest__Output } from './trainyard/v1/ExplainJobRequest.ts';
import type { ExplainJobResponse as _trainyard_v1_ExplainJobResponse, ExplainJobResponse__Output as _trainyard_v1_ExplainJobResponse__Output } from './trainyard/v1/ExplainJobResponse.ts';
import type { GetJobRequest as _trainyard_v1_GetJobRequest, GetJobRequest__Output as _trainyard_v1_GetJobRequest__Output } from './trainyard/v1/GetJobRequest.ts';
import type { GetJobResponse as _trainyard_v1_GetJobResponse, GetJobResponse__Output as _trainyard_v1_GetJobResponse__Output } from './trainyard/v1/GetJobResponse.ts';
import type { Hold as _trainyard_v1_Hold, Hold__Output as _trainyard_v1_Hold__Output } from './trainyard/v1/Hold.ts';
import type { Job as _trainyard_v1_Job, Job__Output as _trainyard_v1_Job__Output } from './trainyard/v1/Job.ts';
import type { JobEvent as _trainyard_v1_JobEvent, JobEvent__Output as _trainyard_v1_JobEvent__Output } from './trainyard/v1/JobEvent.ts';
import type { JobServiceClient as _trainyard_v1_JobServiceClient, JobServiceDefinition as _trainyard_v1_JobServiceDefinition } from './trainyard/v1/JobService.ts';
import type { JobSpec as _trainyard_v1_JobSpec, JobSpec__Output as _trainyard_v1_JobSpec__Output } from './trainyard/v1/JobSpec.ts';
import type { ListCheckpointsRequest as _trainyard_v1_ListCheckpointsRequest, ListCheckpointsRequest__Output as _trainyard_v1_ListCheckpointsRequest__Output } from './trainyard/v1/ListCheckpointsRequest.ts';
import type { ListCheckpointsResponse as _trainyard_v1_ListCheckpointsResponse, ListCheckpointsResponse__Output as _trainyard_v1_ListCheckpointsResponse__Output } from './trainyard/v1/ListCheckpointsResponse.ts';
import type { ListJobEventsRequest as _trainyard_v1_ListJobEventsRequest, ListJobEventsRequest__Output as _trainyard_v1_ListJobEventsRequest__Output } from './trainyard/v1/ListJobEventsRequest.ts';
import type { ListJobEventsResponse as _trainyard_v1_ListJobEventsResponse, ListJobEventsResponse__Output as _trainyard_v1_ListJobEventsResponse__Output } from './trainyard/v1/ListJobEventsResponse.ts';
import type { ListJobsRequest as _trainyard_v1_ListJobsRequest, ListJobsRequest__Output as _trainyard_v1_ListJobsRequest__Output } from './trainyard/v1/ListJobsRequest.ts';
import type { ListJobsResponse as _trainyard_v1_ListJobsResponse, ListJobsResponse__Output as _trainyard_v1_ListJobsResponse__Output } from './trainyard/v1/ListJobsResponse.ts';
import type { Page as _trainyard_v1_Page, Page__Output as _trainyard_v1_Page__Output } from './trainyard/v1/Page.ts';
import type { PutBundleRequest as _trainyard_v1_PutBundleRequest, PutBundleRequest__Output as _trainyard_v1_PutBundleRequest__Output } from './trainyard/v1/PutBundleRequest.ts';
import type { PutBundleResponse as _trainyard_v1_PutBundleResponse, PutBundleResponse__Output as _trainyard_v1_PutBundleResponse__Output } from './trainyard/v1/PutBundleResponse.ts';
import type { ReadLogsRequest as _trainyard_v1_ReadLogsRequest, ReadLogsRequest__Output as _trainyard_v1_ReadLogsRequest__Output } from './trainyard/v1/ReadLogsRequest.ts';
import type { ReadLogsResponse as _trainyard_v1_ReadLogsResponse, ReadLogsResponse__Output as _trainyard_v1_ReadLogsResponse__Output } from './trainyard/v1/ReadLogsResponse.ts';
import type { Resources as _trainyard_v1_Resources, Resources__Output as _trainyard_v1_Resources__Output } from './trainyard/v1/Resources.ts';
import type { SubmitJobRequest as _trainyard_v1_SubmitJobRequest, SubmitJobRequest__Output as _trainyard_v1_SubmitJobRequest__Output } from './trainyard/v1/SubmitJobRequest.ts';
import type { SubmitJobResponse as _trainyard_v1_SubmitJobResponse, SubmitJobResponse__Output as _trainyard_v1_SubmitJobResponse__Output } from './trainyard/v1/SubmitJobResponse.ts';
import type { TaskExit as _trainyard_v1_TaskExit, TaskExit__Output as _trainyard_v1_TaskExit__Output } from './trainyard/v1/TaskExit.ts';
import type { TaskPlacement as _trainyard_v1_TaskPlacement, TaskPlacement__Output as _trainyard_v1_TaskPlacement__Output } from './trainyard/v1/TaskPlacement.ts';
import type { TerminalSize as _trainyard_v1_TerminalSize, TerminalSize__Output as _trainyard_v1_TerminalSize__Output } from './trainyard/v1/TerminalSize.ts';
import type { TorchrunCommand as _trainyard_v1_TorchrunCommand, TorchrunCommand__Output as _trainyard_v1_TorchrunCommand__Output } from './trainyard/v1/TorchrunCommand.ts';
import type { WatchJobsRequest as _trainyard_v1_WatchJobsRequest, WatchJobsRequest__Output as _trainyard_v1_WatchJobsRequest__Output } from './trainyard/v1/WatchJobsRequest.ts';
import type { WatchJobsResponse as _trainyard_v1_WatchJobsResponse, WatchJobsResponse__Output as _trainyard_v1_WatchJobsResponse__Output } from './trainyard/v1/WatchJobsResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  trainyard: {
    v1: {
      AttachOpen: MessageTypeDefinition<_trainyard_v1_AttachOpen, _trainyard_v1_AttachOpen__Output>
      AttachRequest: MessageTypeDefinition<_trainyard_v1_AttachRequest, _trainyard_v1_AttachRequest__Output>
      AttachResponse: MessageTypeDefinition<_trainyard_v1_AttachResponse, _trainyard_v1_AttachResponse__Output>
      Attempt: MessageTypeDefinition<_trainyard_v1_Attempt, _trainyard_v1_Attempt__Output>
      CancelJobRequest: MessageTypeDefinition<_trainyard_v1_CancelJobRequest, _trainyard_v1_CancelJobRequest__Output>
      CancelJobResponse: MessageTypeDefinition<_trainyard_v1_CancelJobResponse, _trainyard_v1_CancelJobResponse__Output>
      Checkpoint: MessageTypeDefinition<_trainyard_v1_Checkpoint, _trainyard_v1_Checkpoint__Output>
      CheckpointPolicy: MessageTypeDefinition<_trainyard_v1_CheckpointPolicy, _trainyard_v1_CheckpointPolicy__Output>
      CheckpointService: SubtypeConstructor<typeof grpc.Client, _trainyard_v1_CheckpointServiceClient> & { service: _trainyard_v1_CheckpointServiceDefinition }
      CodeBundle: MessageTypeDefinition<_trainyard_v1_CodeBundle, _trainyard_v1_CodeBundle__Output>
      ExecCommand: MessageTypeDefinition<_trainyard_v1_ExecCommand, _trainyard_v1_ExecCommand__Output>
      ExplainJobRequest: MessageTypeDefinition<_trainyard_v1_ExplainJobRequest, _trainyard_v1_ExplainJobRequest__Output>
      ExplainJobResponse: MessageTypeDefinition<_trainyard_v1_ExplainJobResponse, _trainyard_v1_ExplainJobResponse__Output>
      GetJobRequest: MessageTypeDefinition<_trainyard_v1_GetJobRequest, _trainyard_v1_GetJobRequest__Output>
      GetJobResponse: MessageTypeDefinition<_trainyard_v1_GetJobResponse, _trainyard_v1_GetJobResponse__Output>
      Hold: MessageTypeDefinition<_trainyard_v1_Hold, _trainyard_v1_Hold__Output>
      Job: MessageTypeDefinition<_trainyard_v1_Job, _trainyard_v1_Job__Output>
      JobEvent: MessageTypeDefinition<_trainyard_v1_JobEvent, _trainyard_v1_JobEvent__Output>
      JobService: SubtypeConstructor<typeof grpc.Client, _trainyard_v1_JobServiceClient> & { service: _trainyard_v1_JobServiceDefinition }
      JobSpec: MessageTypeDefinition<_trainyard_v1_JobSpec, _trainyard_v1_JobSpec__Output>
      ListCheckpointsRequest: MessageTypeDefinition<_trainyard_v1_ListCheckpointsRequest, _trainyard_v1_ListCheckpointsRequest__Output>
      ListCheckpointsResponse: MessageTypeDefinition<_trainyard_v1_ListCheckpointsResponse, _trainyard_v1_ListCheckpointsResponse__Output>
      ListJobEventsRequest: MessageTypeDefinition<_trainyard_v1_ListJobEventsRequest, _trainyard_v1_ListJobEventsRequest__Output>
      ListJobEventsResponse: MessageTypeDefinition<_trainyard_v1_ListJobEventsResponse, _trainyard_v1_ListJobEventsResponse__Output>
      ListJobsRequest: MessageTypeDefinition<_trainyard_v1_ListJobsRequest, _trainyard_v1_ListJobsRequest__Output>
      ListJobsResponse: MessageTypeDefinition<_trainyard_v1_ListJobsResponse, _trainyard_v1_ListJobsResponse__Output>
      Page: MessageTypeDefinition<_trainyard_v1_Page, _trainyard_v1_Page__Output>
      PutBundleRequest: MessageTypeDefinition<_trainyard_v1_PutBundleRequest, _trainyard_v1_PutBundleRequest__Output>
      PutBundleResponse: MessageTypeDefinition<_trainyard_v1_PutBundleResponse, _trainyard_v1_PutBundleResponse__Output>
      ReadLogsRequest: MessageTypeDefinition<_trainyard_v1_ReadLogsRequest, _trainyard_v1_ReadLogsRequest__Output>
      ReadLogsResponse: MessageTypeDefinition<_trainyard_v1_ReadLogsResponse, _trainyard_v1_ReadLogsResponse__Output>
      Resources: MessageTypeDefinition<_trainyard_v1_Resources, _trainyard_v1_Resources__Output>
      SubmitJobRequest: MessageTypeDefinition<_trainyard_v1_SubmitJobRequest, _trainyard_v1_SubmitJobRequest__Output>
      SubmitJobResponse: MessageTypeDefinition<_trainyard_v1_SubmitJobResponse, _trainyard_v1_SubmitJobResponse__Output>
      TaskExit: MessageTypeDefinition<_trainyard_v1_TaskExit, _trainyard_v1_TaskExit__Output>
      TaskPlacement: MessageTypeDefinition<_trainyard_v1_TaskPlacement, _trainyard_v1_TaskPlacement__Output>
      TerminalSize: MessageTypeDefinition<_trainyard_v1_TerminalSize, _trainyard_v1_TerminalSize__Output>
      TorchrunCommand: MessageTypeDefinition<_trainyard_v1_TorchrunCommand, _trainyard_v1_TorchrunCommand__Output>
      WatchJobsRequest: MessageTypeDefinition<_trainyard_v1_WatchJobsRequest, _trainyard_v1_WatchJobsRequest__Output>
      WatchJobsResponse: MessageTypeDefinition<_trainyard_v1_WatchJobsResponse, _trainyard_v1_WatchJobsResponse__Output>
    }
  }
}

