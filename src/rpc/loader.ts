// The wire's definitions: which proto files there are, how they are read, and the service
// definitions made from them. The options are used at run time and to generate the types in gen/
// (generate.ts). Each file is read when a service in it is first asked for, so that a CLI call pays
// for one.

import { fileURLToPath } from "node:url";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { assert } from "../base/assert.ts";
import type { AgentServiceDefinition } from "./gen/trainyard/v1/AgentService.ts";
import type { CheckpointServiceDefinition } from "./gen/trainyard/v1/CheckpointService.ts";
import type { JobServiceDefinition } from "./gen/trainyard/v1/JobService.ts";
import type { NodeServiceDefinition } from "./gen/trainyard/v1/NodeService.ts";
import type { QueueServiceDefinition } from "./gen/trainyard/v1/QueueService.ts";
import type { TrackerServiceDefinition } from "./gen/trainyard/v1/TrackerService.ts";

/** Folder with the proto files; the same path from `src` and from `dist`. */
export const PROTO_FOLDER = fileURLToPath(new URL("../../proto", import.meta.url));

/** 64-bit integers are numbers: decoding refuses those that a number cannot hold exactly. */
export const LOADER_OPTIONS = {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
} as const;

/** Files with services, and those that carry errors; imports come along by themselves. */
export const PROTO_FILES = [
  "trainyard/v1/jobs.proto",
  "trainyard/v1/queues.proto",
  "trainyard/v1/nodes.proto",
  "trainyard/v1/checkpoints.proto",
  "trainyard/v1/agents.proto",
  "trainyard/v1/tracker.proto",
  "google/rpc/status.proto",
  "google/rpc/error_details.proto",
] as const;

export interface Services {
  readonly JobService: JobServiceDefinition;
  readonly QueueService: QueueServiceDefinition;
  readonly NodeService: NodeServiceDefinition;
  readonly CheckpointService: CheckpointServiceDefinition;
  readonly AgentService: AgentServiceDefinition;
  readonly TrackerService: TrackerServiceDefinition;
}

export type ServiceName = keyof Services;

const FILE_OF: Readonly<Record<ServiceName, (typeof PROTO_FILES)[number]>> = {
  JobService: "trainyard/v1/jobs.proto",
  QueueService: "trainyard/v1/queues.proto",
  NodeService: "trainyard/v1/nodes.proto",
  CheckpointService: "trainyard/v1/checkpoints.proto",
  AgentService: "trainyard/v1/agents.proto",
  TrackerService: "trainyard/v1/tracker.proto",
};

const PACKAGE = "trainyard.v1";

/** Name as health checks and metrics know it: `trainyard.v1.JobService`. */
export const fullServiceName = (name: ServiceName): string => `${PACKAGE}.${name}`;

/** The typed definition of a service; read once a process. */
export function decodeService<N extends ServiceName>(name: N): Services[N] {
  const found = decodePackage([FILE_OF[name]])[fullServiceName(name)];
  assert(found !== undefined && !("format" in found), `no service ${name} in ${FILE_OF[name]}`);
  // The generated types describe exactly this file; loader.test.ts holds them together.
  return found as ServiceDefinition as Services[N];
}

const packages = new Map<string, PackageDefinition>();

/** What the files define, by full name. Read once a process for each list of files. */
export function decodePackage(files: readonly string[]): PackageDefinition {
  const key = files.join(" ");
  const known = packages.get(key);
  if (known !== undefined) return known;
  const loaded = loadSync([...files], { ...LOADER_OPTIONS, includeDirs: [PROTO_FOLDER] });
  packages.set(key, loaded);
  return loaded;
}
