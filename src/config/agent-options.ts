// Options of `trainyard agent`, and the rules that hold between them.

import { DISK_OPTIONS, diskProblems } from "./disk-options.ts";
import type { Host } from "./host.ts";
import { stateDir } from "./host.ts";
import { address, addressOrOff, choice, flag, integer, labels, path, text } from "./kinds.ts";
import { isLoopback, plainTextProblems } from "./listen-rules.ts";
import type { OptionValues } from "./option.ts";
import { option, optional } from "./option.ts";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";
import type { Layer, Resolved } from "./resolve.ts";
import { resolveOptions } from "./resolve.ts";
import { LOG_LEVELS } from "./scheduler-options.ts";

export const AGENT_OPTIONS = {
  scheduler: option(address({ isPortZeroAllowed: false }), {
    name: "scheduler",
    help: "Address of the scheduler's gRPC services.",
    fallback: "127.0.0.1:7070",
  }),
  name: option(
    text({
      placeholder: "<name>",
      pattern: /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
      accepts: "a node name: letters, digits, `.`, `_`, `-`, at most 63",
    }),
    {
      name: "name",
      help: "The node's name, unique in the cluster.",
      fallback: (host) => host.hostName,
      fallbackText: "the host name",
    },
  ),
  stateDir: option(path("directory"), {
    name: "state-dir",
    help: "Logs, code, checkpoints on their way, and what survives a restart. A local disk.",
    fallback: (host) => stateDir(host, "agent"),
    fallbackText: "$XDG_STATE_HOME/trainyard/agent; /var/lib/trainyard/agent for root",
  }),
  ...DISK_OPTIONS,
  virtualGpus: optional(integer({ min: 0, max: 1024, unit: "of GPUs" }), {
    name: "virtual-gpus",
    help: "Offer so many GPUs that do not exist, for trials on machines without any.",
  }),
  advertiseAddress: optional(text({ placeholder: "<host>" }), {
    name: "advertise-address",
    help: "Where the other nodes reach this one. Without it, the address that faces the scheduler.",
  }),
  python: option(text({ placeholder: "<program>", completion: "command" }), {
    name: "python",
    help: "Interpreter that has torch, for jobs that name none.",
    fallback: "python3",
  }),
  labels: option(labels(), {
    name: "label",
    help: "Label of the node, such as trainyard.dev/topology-rack=r1.",
    fallback: {},
    fallbackText: "none",
  }),
  spot: option(flag(), {
    name: "spot",
    help: "The node may be taken away at short notice: label trainyard.dev/spot=true.",
    fallback: false,
  }),
  metricsListen: option(addressOrOff(), {
    name: "metrics-listen",
    help: "Address of the node's /metrics for Prometheus.",
    fallback: "127.0.0.1:7072",
  }),
  tls: option(flag(), {
    name: "tls",
    help: "Talk TLS to the scheduler, trusting the system's authorities.",
    fallback: false,
  }),
  ca: optional(path("file"), {
    name: "ca",
    help: "Talk TLS to the scheduler, trusting the authorities of this PEM file.",
  }),
  insecure: option(flag(), {
    name: "insecure",
    help: "Allow a scheduler or metrics address other than loopback without TLS.",
    fallback: false,
  }),
  logLevel: option(choice(LOG_LEVELS), {
    name: "log-level",
    help: "Least severe log lines to write.",
    fallback: "info",
  }),
} as const;

/** Absolute paths; `virtualGpus` null = probe the real ones. */
export type AgentOptions = OptionValues<typeof AGENT_OPTIONS>;

/** @throws RefusalError naming every option that is wrong or contradicts another. */
export function resolveAgent(layers: readonly Layer[], host: Host): AgentOptions {
  const resolved = resolveOptions(AGENT_OPTIONS, layers, host);
  const problems = [
    ...diskProblems(resolved),
    ...(resolved.values.insecure ? [] : networkProblems(resolved)),
  ];
  if (problems.length > 0) {
    throw problemsError("INVALID_OPTION", problems, "See `trainyard agent --help`.");
  }
  return resolved.values;
}

function networkProblems({ values, origins }: Resolved<typeof AGENT_OPTIONS>): Problem[] {
  const problems: Problem[] = [];
  const isEncrypted = values.tls || values.ca !== null;
  if (!isEncrypted && !isLoopback(values.scheduler)) {
    problems.push({
      where: origins.scheduler,
      path: "scheduler",
      message:
        `${values.scheduler} is another machine; ` +
        "give --ca or --tls, or --insecure on a network that you trust",
    });
  }
  if (values.metricsListen !== null) {
    const listener = {
      option: "metrics-listen",
      address: values.metricsListen,
      origin: origins.metricsListen,
    };
    problems.push(...plainTextProblems([listener], "say --insecure if that is meant"));
  }
  return problems;
}
