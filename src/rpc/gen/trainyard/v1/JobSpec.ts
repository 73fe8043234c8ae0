// Original file: proto/trainyard/v1/jobs.proto

import type { Resources as _trainyard_v1_Resources, Resources__Output as _trainyard_v1_Resources__Output } from '../../trainyard/v1/Resources.ts';
import type { TorchrunCommand as _trainyard_v1_TorchrunCommand, TorchrunCommand__Output as _trainyard_v1_TorchrunCommand__Output } from '../../trainyard/v1/TorchrunCommand.ts';
import type { ExecCommand as _trainyard_v1_ExecCommand, ExecCommand__Output as _trainyard_v1_ExecCommand__Output } from '../../trainyard/v1/ExecCommand.ts';
import type { CodeBundle as _trainyard_v1_CodeBundle, CodeBundle__Output as _trainyard_v1_CodeBundle__Output } from '../../trainyard/v1/CodeBundle.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { CheckpointPolicy as _trainyard_v1_CheckpointPolicy, CheckpointPolicy__Output as _trainyard_v1_CheckpointPolicy__Output } from '../../trainyard/v1/CheckpointPolicy.ts';
import type { Topology as _trainyard_v1_Topology, Topology__Output as _trainyard_v1_Topology__Output } from '../../trainyard/v1/Topology.ts';
import type { ArraySpec as _trainyard_v1_ArraySpec, ArraySpec__Output as _trainyard_v1_ArraySpec__Output } from '../../trainyard/v1/ArraySpec.ts';
import type { Dependency as _trainyard_v1_Dependency, Dependency__Output as _trainyard_v1_Dependency__Output } from '../../trainyard/v1/Dependency.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface JobSpec {
  'name'?: (string);
  'queue'?: (string);
  'priorityClass'?: (string);
  'nodes'?: (number);
  'perNode'?: (_trainyard_v1_Resources | null);
  'gpuType'?: (string);
  'torchrun'?: (_trainyard_v1_TorchrunCommand | null);
  'exec'?: (_trainyard_v1_ExecCommand | null);
  'env'?: ({[key: string]: string});
  'bundle'?: (_trainyard_v1_CodeBundle | null);
  'setup'?: (string);
  'timeLimit'?: (_google_protobuf_Duration | null);
  'grace'?: (_google_protobuf_Duration | null);
  'stopSignal'?: (string);
  'restartsMax'?: (number);
  'checkpoint'?: (_trainyard_v1_CheckpointPolicy | null);
  'gpuTypes'?: (string)[];
  'mixesGpuTypes'?: (boolean);
  'topology'?: (_trainyard_v1_Topology | null);
  'spot'?: (string);
  'nodesMin'?: (number);
  'array'?: (_trainyard_v1_ArraySpec | null);
  'after'?: (_trainyard_v1_Dependency)[];
  'beginAt'?: (_google_protobuf_Timestamp | null);
  'beginAfter'?: (_google_protobuf_Duration | null);
  'held'?: (boolean);
  'deadlineAt'?: (_google_protobuf_Timestamp | null);
  'deadlineAfter'?: (_google_protobuf_Duration | null);
  'command'?: "torchrun"|"exec";
  'begin'?: "beginAt"|"beginAfter";
  'due'?: "deadlineAt"|"deadlineAfter";
}

export interface JobSpec__Output {
  'name': (string);
  'queue': (string);
  'priorityClass': (string);
  'nodes': (number);
  'perNode': (_trainyard_v1_Resources__Output | null);
  'gpuType': (string);
  'torchrun'?: (_trainyard_v1_TorchrunCommand__Output | null);
  'exec'?: (_trainyard_v1_ExecCommand__Output | null);
  'env': ({[key: string]: string});
  'bundle': (_trainyard_v1_CodeBundle__Output | null);
  'setup': (string);
  'timeLimit': (_google_protobuf_Duration__Output | null);
  'grace': (_google_protobuf_Duration__Output | null);
  'stopSignal': (string);
  'restartsMax': (number);
  'checkpoint': (_trainyard_v1_CheckpointPolicy__Output | null);
  'gpuTypes': (string)[];
  'mixesGpuTypes': (boolean);
  'topology': (_trainyard_v1_Topology__Output | null);
  'spot': (string);
  'nodesMin': (number);
  'array': (_trainyard_v1_ArraySpec__Output | null);
  'after': (_trainyard_v1_Dependency__Output)[];
  'beginAt'?: (_google_protobuf_Timestamp__Output | null);
  'beginAfter'?: (_google_protobuf_Duration__Output | null);
  'held': (boolean);
  'deadlineAt'?: (_google_protobuf_Timestamp__Output | null);
  'deadlineAfter'?: (_google_protobuf_Duration__Output | null);
  'command'?: "torchrun"|"exec";
  'begin'?: "beginAt"|"beginAfter";
  'due'?: "deadlineAt"|"deadlineAfter";
}
