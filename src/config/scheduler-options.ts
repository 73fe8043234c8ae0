// Options of `trainyard scheduler`, and the rules that hold between them.

import type { Host } from "./host.ts";
import { stateDir } from "./host.ts";
import { address, choice, duration, flag, integer, path, text } from "./kinds.ts";
import { plainTextProblems } from "./listen-rules.ts";
import type { OptionValues } from "./option.ts";
import { option, optional } from "./option.ts";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";
import type { Layer, Resolved } from "./resolve.ts";
import { resolveOptions } from "./resolve.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** `file:///path` or `s3://bucket/prefix?endpoint=…`. */
export const objectStoreUrl = text({
  placeholder: "<url>",
  pattern: /^(file:\/\/\/|s3:\/\/[^/\s]+)\S*$/,
  accepts: "an object store; write file:///path or s3://bucket/prefix",
});

export const SCHEDULER_OPTIONS = {
  listen: option(address({ isPortZeroAllowed: true }), {
    name: "listen",
    help: "Address of the gRPC services for clients and agents.",
    fallback: "127.0.0.1:7070",
  }),
  httpListen: option(address({ isPortZeroAllowed: true }), {
    name: "http-listen",
    help: "Address of /metrics, health and the dashboard.",
    fallback: "127.0.0.1:7071",
  }),
  dataDir: option(path("directory"), {
    name: "data-dir",
    help: "Event log and tracker. A local disk, not NFS.",
    fallback: (host) => stateDir(host, "scheduler"),
    fallbackText: "$XDG_STATE_HOME/trainyard/scheduler; /var/lib/trainyard/scheduler for root",
  }),
  objectStore: optional(objectStoreUrl, {
    name: "object-store",
    help: "Where checkpoints and code bundles go. Without it, file://<data-dir>/objects.",
  }),
  leaseMs: option(duration({ minMs: 500, maxMs: 600_000 }), {
    name: "lease",
    help: "A node that is silent for so long is lost; its agent stops its tasks before that.",
    fallback: 15_000,
  }),
  heartbeatMs: option(duration({ minMs: 50, maxMs: 60_000 }), {
    name: "heartbeat",
    help: "How often agents send a heartbeat. At most a third of the lease.",
    fallback: 3_000,
  }),
  tlsCert: optional(path("file"), {
    name: "tls-cert",
    help: "PEM certificate chain for the gRPC address.",
  }),
  tlsKey: optional(path("file"), { name: "tls-key", help: "PEM private key of --tls-cert." }),
  insecure: option(flag(), {
    name: "insecure",
    help: "Allow addresses other than loopback without TLS.",
    fallback: false,
  }),
  policyFile: optional(path("file"), {
    name: "policy-file",
    help: "YAML file with the scheduling policy.",
  }),
  queuesFile: optional(path("file"), {
    name: "queues-file",
    help: "YAML file with the queue tree, applied when the data folder has none yet.",
  }),
  snapshotEvery: option(integer({ min: 100, max: 100_000_000, unit: "of events" }), {
    name: "snapshot-every",
    help: "Events between two snapshots. Fewer: faster restarts, more writing.",
    fallback: 50_000,
  }),
  perJobMetrics: option(flag(), {
    name: "per-job-metrics",
    help: "Also export a Prometheus series for each running job.",
    fallback: false,
  }),
  logLevel: option(choice(LOG_LEVELS), {
    name: "log-level",
    help: "Least severe log lines to write.",
    fallback: "info",
  }),
} as const;

/** Absolute paths; times in milliseconds; `objectStore` is always set. */
export type SchedulerOptions = Omit<OptionValues<typeof SCHEDULER_OPTIONS>, "objectStore"> & {
  readonly objectStore: string;
};

/** @throws RefusalError naming every option that is wrong or contradicts another. */
export function resolveScheduler(layers: readonly Layer[], host: Host): SchedulerOptions {
  const resolved = resolveOptions(SCHEDULER_OPTIONS, layers, host);
  const problems = schedulerProblems(resolved);
  if (problems.length > 0) {
    throw problemsError("INVALID_OPTION", problems, "See `trainyard scheduler --help`.");
  }
  const { values } = resolved;
  return { ...values, objectStore: values.objectStore ?? fileUrl(`${values.dataDir}/objects`) };
}

function fileUrl(folder: string): string {
  return `file://${encodeURI(folder)}`;
}

function schedulerProblems({ values, origins }: Resolved<typeof SCHEDULER_OPTIONS>): Problem[] {
  const problems: Problem[] = [];
  if (values.heartbeatMs * 3 > values.leaseMs) {
    problems.push({
      where: origins.heartbeatMs,
      path: "heartbeat",
      message: "is more than a third of the lease: one lost message would lose the node",
    });
  }
  if ((values.tlsCert === null) !== (values.tlsKey === null)) {
    problems.push({
      where: values.tlsCert === null ? origins.tlsKey : origins.tlsCert,
      path: "tls-cert",
      message: "--tls-cert and --tls-key go together; set both",
    });
  }
  if (!values.insecure) problems.push(...plainListeners({ values, origins }));
  return problems;
}

function plainListeners({ values, origins }: Resolved<typeof SCHEDULER_OPTIONS>): Problem[] {
  const grpc = { option: "listen", address: values.listen, origin: origins.listen };
  const http = { option: "http-listen", address: values.httpListen, origin: origins.httpListen };
  return [
    ...plainTextProblems(
      values.tlsCert === null ? [grpc] : [],
      "give --tls-cert and --tls-key, or --insecure on a network that you trust",
    ),
    ...plainTextProblems([http], "keep it on loopback behind a proxy, or say --insecure"),
  ];
}
