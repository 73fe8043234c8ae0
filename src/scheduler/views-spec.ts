// A JobSpec of the core as the wire has it. The inverse of service-spec.ts.

import { encodeDuration, encodeTimestamp } from "../rpc/decode.ts";
import type { JobSpec as JobSpecMessage } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import type { JobSpec } from "./core/job.ts";

export function specView(spec: JobSpec): JobSpecMessage {
  const { command, bundle, checkpoint, array } = spec;
  return {
    name: spec.name,
    queue: spec.queue,
    priorityClass: spec.priorityClass,
    nodes: spec.nodes,
    nodesMin: spec.nodesMin,
    perNode: spec.perNode,
    // For clients that know one type only.
    gpuType: spec.gpuTypes[0] ?? "",
    gpuTypes: [...spec.gpuTypes],
    mixesGpuTypes: spec.mixesGpuTypes,
    topology: spec.topology,
    spot: spec.spot,
    ...(command.kind === "torchrun"
      ? { torchrun: { ...command, args: [...command.args] } }
      : { exec: { argv: [...command.argv] } }),
    env: { ...spec.env },
    bundle,
    setup: spec.setup,
    timeLimit: spec.timeLimitMs === null ? null : encodeDuration(spec.timeLimitMs),
    grace: encodeDuration(spec.graceMs),
    stopSignal: spec.stopSignal,
    restartsMax: spec.restartsMax,
    checkpoint: { keep: checkpoint.keep, patterns: [...checkpoint.patterns] },
    array: array === null ? null : { indexes: array.indexes, parallel: array.parallel ?? 0 },
    after: spec.after.map(({ job, on }) => ({ job, on })),
    ...(spec.beginAtMs === null ? {} : { beginAt: encodeTimestamp(spec.beginAtMs) }),
    ...(spec.deadlineMs === null ? {} : { deadlineAt: encodeTimestamp(spec.deadlineMs) }),
    held: spec.isHeld,
  };
}
