import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ApplyQueuesRequest as _trainyard_v1_ApplyQueuesRequest, ApplyQueuesRequest__Output as _trainyard_v1_ApplyQueuesRequest__Output } from './trainyard/v1/ApplyQueuesRequest.ts';
import type { ApplyQueuesResponse as _trainyard_v1_ApplyQueuesResponse, ApplyQueuesResponse__Output as _trainyard_v1_ApplyQueuesResponse__Output } from './trainyard/v1/ApplyQueuesResponse.ts';
import type { DeleteQueueRequest as _trainyard_v1_DeleteQueueRequest, DeleteQueueRequest__Output as _trainyard_v1_DeleteQueueRequest__Output } from './trainyard/v1/DeleteQueueRequest.ts';
import type { DeleteQueueResponse as _trainyard_v1_DeleteQueueResponse, DeleteQueueResponse__Output as _trainyard_v1_DeleteQueueResponse__Output } from './trainyard/v1/DeleteQueueResponse.ts';
import type { ListQueuesRequest as _trainyard_v1_ListQueuesRequest, ListQueuesRequest__Output as _trainyard_v1_ListQueuesRequest__Output } from './trainyard/v1/ListQueuesRequest.ts';
import type { ListQueuesResponse as _trainyard_v1_ListQueuesResponse, ListQueuesResponse__Output as _trainyard_v1_ListQueuesResponse__Output } from './trainyard/v1/ListQueuesResponse.ts';
import type { Queue as _trainyard_v1_Queue, Queue__Output as _trainyard_v1_Queue__Output } from './trainyard/v1/Queue.ts';
import type { QueueServiceClient as _trainyard_v1_QueueServiceClient, QueueServiceDefinition as _trainyard_v1_QueueServiceDefinition } from './trainyard/v1/QueueService.ts';
import type { QueueSpec as _trainyard_v1_QueueSpec, QueueSpec__Output as _trainyard_v1_QueueSpec__Output } from './trainyard/v1/QueueSpec.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  trainyard: {
    v1: {
      ApplyQueuesRequest: MessageTypeDefinition<_trainyard_v1_ApplyQueuesRequest, _trainyard_v1_ApplyQueuesRequest__Output>
      ApplyQueuesResponse: MessageTypeDefinition<_trainyard_v1_ApplyQueuesResponse, _trainyard_v1_ApplyQueuesResponse__Output>
      DeleteQueueRequest: MessageTypeDefinition<_trainyard_v1_DeleteQueueRequest, _trainyard_v1_DeleteQueueRequest__Output>
      DeleteQueueResponse: MessageTypeDefinition<_trainyard_v1_DeleteQueueResponse, _trainyard_v1_DeleteQueueResponse__Output>
      ListQueuesRequest: MessageTypeDefinition<_trainyard_v1_ListQueuesRequest, _trainyard_v1_ListQueuesRequest__Output>
      ListQueuesResponse: MessageTypeDefinition<_trainyard_v1_ListQueuesResponse, _trainyard_v1_ListQueuesResponse__Output>
      Queue: MessageTypeDefinition<_trainyard_v1_Queue, _trainyard_v1_Queue__Output>
      QueueService: SubtypeConstructor<typeof grpc.Client, _trainyard_v1_QueueServiceClient> & { service: _trainyard_v1_QueueServiceDefinition }
      QueueSpec: MessageTypeDefinition<_trainyard_v1_QueueSpec, _trainyard_v1_QueueSpec__Output>
    }
  }
}

