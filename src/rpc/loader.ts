// The wire's definitions: services and messages as grpc-js calls them, made from what the proto files
// define. Each is made when it is first asked for, so that a CLI call pays for what it uses.
// Not with proto-loader, which describes every message a second time, for reflection.

import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import type { Root, Type } from "protobufjs";
import { assert } from "../base/assert.ts";
import type { AgentServiceDefinition } from "./gen/trainyard/v1/AgentService.ts";
import type { CheckpointServiceDefinition } from "./gen/trainyard/v1/CheckpointService.ts";
import type { JobServiceDefinition } from "./gen/trainyard/v1/JobService.ts";
import type { NodeServiceDefinition } from "./gen/trainyard/v1/NodeService.ts";
import type { PolicyServiceDefinition } from "./gen/trainyard/v1/PolicyService.ts";
import type { QueueServiceDefinition } from "./gen/trainyard/v1/QueueService.ts";
import type { TrackerServiceDefinition } from "./gen/trainyard/v1/TrackerService.ts";
import { LOADER_OPTIONS } from "./proto-files.ts";
import { readProtoRoot } from "./proto-root.ts";

export interface Services {
  readonly JobService: JobServiceDefinition;
  readonly QueueService: QueueServiceDefinition;
  readonly PolicyService: PolicyServiceDefinition;
  readonly NodeService: NodeServiceDefinition;
  readonly CheckpointService: CheckpointServiceDefinition;
  readonly AgentService: AgentServiceDefinition;
  readonly TrackerService: TrackerServiceDefinition;
}

export type ServiceName = keyof Services;

/** A message on its own, as it stands inside another's bytes. */
export interface MessageCodec {
  readonly serialize: (value: object) => Buffer;
  /** Throws when the bytes are no such message. */
  readonly deserialize: (bytes: Uint8Array) => object;
}

const PACKAGE = "trainyard.v1";

/** Name as health checks and metrics know it: `trainyard.v1.JobService`. */
export const fullServiceName = (name: ServiceName): string => `${PACKAGE}.${name}`;

/** The typed definition of a service; made once a process. */
export function decodeService<N extends ServiceName>(name: N): Services[N] {
  const known = services.get(name) ?? defineService(fullServiceName(name));
  services.set(name, known);
  // The generated types describe exactly these files; loader.test.ts holds them together.
  return known as Services[ServiceName] as Services[N];
}

/** By its full name. Bugs: a name that no proto file has. */
export function decodeMessage(fullName: string): MessageCodec {
  return codecOf(protoRoot().lookupType(fullName));
}

const services = new Map<ServiceName, ServiceDefinition>();
let root: Root | null = null;

function protoRoot(): Root {
  root ??= readProtoRoot();
  return root;
}

function defineService(fullName: string): ServiceDefinition {
  const methods: Record<string, MethodDefinition<object, object>> = {};
  for (const method of protoRoot().lookupService(fullName).methodsArray) {
    method.resolve();
    const { name, resolvedRequestType: request, resolvedResponseType: response } = method;
    assert(request !== null && response !== null, `${fullName}.${name} has no types`);
    const [ask, answer] = [codecOf(request), codecOf(response)];
    methods[name] = {
      path: `/${fullName}/${name}`,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      requestSerialize: ask.serialize,
      requestDeserialize: ask.deserialize,
      responseSerialize: answer.serialize,
      responseDeserialize: answer.deserialize,
    };
  }
  return methods;
}

const codecOf = (type: Type): MessageCodec => ({
  serialize: (value) => Buffer.from(type.encode(type.fromObject(value)).finish()),
  deserialize: (bytes) => type.toObject(type.decode(bytes), LOADER_OPTIONS),
});
