// Which proto files there are, where they lie, and how the wire is read with them: the same at run
// time, for the generated types in gen/ (generate.ts), and for reflection.

import { fileURLToPath } from "node:url";

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
  "trainyard/v1/policy.proto",
  "trainyard/v1/nodes.proto",
  "trainyard/v1/checkpoints.proto",
  "trainyard/v1/agents.proto",
  "trainyard/v1/tracker.proto",
  "google/rpc/status.proto",
  "google/rpc/error_details.proto",
] as const;
