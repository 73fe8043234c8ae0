// Options of `trainyard up`: a whole cluster on one machine.

import { DISK_OPTIONS, diskProblems } from "./disk-options.ts";
import type { Host } from "./host.ts";
import { stateDir } from "./host.ts";
import { choice, integer, path, text } from "./kinds.ts";
import { objectStoreUrl, LOG_LEVELS } from "./scheduler-options.ts";
import type { OptionValues } from "./option.ts";
import { option, optional } from "./option.ts";
import { problemsError } from "./problem.ts";
import type { Layer } from "./resolve.ts";
import { resolveOptions } from "./resolve.ts";

export const UP_OPTIONS = {
  agents: option(integer({ min: 1, max: 64, unit: "of agents" }), {
    name: "agents",
    help: "How many nodes to play, each with an agent of its own.",
    fallback: 1,
  }),
  virtualGpus: optional(integer({ min: 0, max: 1024, unit: "of GPUs" }), {
    name: "virtual-gpus",
    help: "GPUs that each agent pretends to have. Without it, the real ones, or 4 where there are none.",
  }),
  dir: option(path("directory"), {
    name: "dir",
    help: "Folder for everything that the cluster keeps.",
    fallback: (host) => stateDir(host, "up"),
    fallbackText: "$XDG_STATE_HOME/trainyard/up; /var/lib/trainyard/up for root",
  }),
  port: option(integer({ min: 0, max: 65_535 }), {
    name: "port",
    help: "Port of the gRPC services on 127.0.0.1; 0 = a free one.",
    fallback: 7070,
  }),
  httpPort: option(integer({ min: 0, max: 65_535 }), {
    name: "http-port",
    help: "Port of /metrics, health and the dashboard on 127.0.0.1; 0 = a free one.",
    fallback: 7071,
  }),
  objectStore: optional(objectStoreUrl, {
    name: "object-store",
    help: "Where checkpoints and code bundles go. Without it, file://<dir>/objects.",
  }),
  python: option(text({ placeholder: "<program>", completion: "command" }), {
    name: "python",
    help: "Interpreter that has torch.",
    fallback: "python3",
  }),
  ...DISK_OPTIONS,
  policyFile: optional(path("file"), {
    name: "policy-file",
    help: "YAML file with the scheduling policy.",
  }),
  queuesFile: optional(path("file"), {
    name: "queues-file",
    help: "YAML file with the queue tree, applied when the folder has none yet.",
  }),
  logLevel: option(choice(LOG_LEVELS), {
    name: "log-level",
    help: "Least severe log lines to write.",
    fallback: "warn",
  }),
} as const;

/** Absolute paths; `virtualGpus` null = the real ones, or 4 where there are none. */
export type UpOptions = OptionValues<typeof UP_OPTIONS>;

/** @throws RefusalError naming every option that is wrong or contradicts another. */
export function resolveUp(layers: readonly Layer[], host: Host): UpOptions {
  const resolved = resolveOptions(UP_OPTIONS, layers, host);
  const problems = diskProblems(resolved);
  if (problems.length > 0) {
    throw problemsError("INVALID_OPTION", problems, "See `trainyard up --help`.");
  }
  return resolved.values;
}
