// A settled job as the API's JobSpec, and as the JSON that `--dry-run` prints.

import type { CodeBundle } from "../../rpc/gen/trainyard/v1/CodeBundle.ts";
import type { ExecCommand } from "../../rpc/gen/trainyard/v1/ExecCommand.ts";
import type { JobSpec } from "../../rpc/gen/trainyard/v1/JobSpec.ts";
import type { TorchrunCommand } from "../../rpc/gen/trainyard/v1/TorchrunCommand.ts";
import type { PackedBundle } from "../ports.ts";
import { wireDuration } from "../wire.ts";
import type { ResolvedSpec } from "./resolve.ts";

export function wireSpec(spec: ResolvedSpec, bundle: PackedBundle | null): JobSpec {
  return {
    name: spec.name,
    queue: spec.queue,
    priorityClass: spec.priorityClass,
    nodes: spec.nodes,
    nodesMin: spec.nodesMin,
    perNode: { gpus: spec.gpus, cpuMilli: spec.cpuMilli, memoryMib: spec.memoryMib },
    gpuTypes: [...spec.gpuTypes],
    mixesGpuTypes: spec.mixesGpuTypes,
    topology: spec.topology,
    spot: spec.spot,
    ...wireCommand(spec),
    env: { ...spec.env },
    bundle: bundle === null ? null : wireBundle(bundle),
    setup: spec.setup,
    timeLimit: spec.timeLimitMs === null ? null : wireDuration(spec.timeLimitMs),
    grace: spec.graceMs === null ? null : wireDuration(spec.graceMs),
    stopSignal: spec.stopSignal,
    restartsMax: spec.restartsMax,
    checkpoint: { keep: spec.checkpoint.keep, patterns: [...spec.checkpoint.patterns] },
    array: spec.array,
    after: [...spec.after],
    ...wireBegin(spec),
    ...wireDeadline(spec),
    held: spec.isHeld,
  };
}

function wireBegin({ begin }: ResolvedSpec): Pick<JobSpec, "beginAt" | "beginAfter"> {
  if (begin === null) return {};
  return begin.kind === "at"
    ? { beginAt: wireDuration(begin.atMs) }
    : { beginAfter: wireDuration(begin.delayMs) };
}

function wireDeadline({ deadline }: ResolvedSpec): Pick<JobSpec, "deadlineAt" | "deadlineAfter"> {
  if (deadline === null) return {};
  return deadline.kind === "at"
    ? { deadlineAt: wireDuration(deadline.atMs) }
    : { deadlineAfter: wireDuration(deadline.delayMs) };
}

function wireCommand({
  command,
}: ResolvedSpec): { torchrun: TorchrunCommand } | { exec: ExecCommand } {
  if (command.kind === "exec") return { exec: { argv: [...command.argv] } };
  const { script, args, procsPerNode, python } = command;
  return { torchrun: { script, args: [...args], procsPerNode, python } };
}

function wireBundle({ digest, sizeBytes, commit, isDirty }: PackedBundle): CodeBundle {
  return { digest, sizeBytes, commit, isDirty };
}
