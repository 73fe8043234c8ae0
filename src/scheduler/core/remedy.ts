// The smallest change that would start a waiting job now. Tries what a person would try: a smaller
// gang, the same GPUs on more nodes, fewer GPUs, another queue limit.

import { unreachable } from "../../base/assert.ts";
import { fitGang } from "./gang.ts";
import { amountText, type Hold } from "./hold.ts";
import type { Job, JobSpec } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { poolOf } from "./node-pools.ts";
import { QueueTree } from "./queue-tree.ts";
import { limitReached } from "./quota.ts";
import { shapeOf, sizedTo } from "./shape.ts";
import type { ClusterState } from "./state.ts";

type FitsNow = (spec: JobSpec) => boolean;

/** A sentence, or empty when no such change was found. */
export function remedyFor(state: ClusterState, { spec }: Job, nowMs: number, hold: Hold): string {
  const fitsNow = tester(state, spec, nowMs);
  switch (hold.code) {
    case "EVALUATING":
    case "WAITING_FOR_JOB":
    case "BEGIN_TIME":
    case "ARRAY_PARALLEL":
    case "BACKOFF":
    case "WAITING_FOR_PREEMPTED":
      return "";
    case "HELD_BY_USER":
      return "Release it with `trainyard release`.";
    case "EXCEEDS_QUEUE_LIMIT":
      return (
        `Ask for ${amountText(hold.resource, hold.limit)} or less, or have the limit of ` +
        `${hold.queue} raised to ${amountText(hold.resource, hold.asked)}.`
      );
    case "WAITING_FOR_QUOTA":
      return (
        smaller(spec, fitsNow) ||
        `A limit of ${amountText(hold.resource, hold.allocated + hold.asked)} for ` +
          `${hold.queue} would let it in, if there is room.`
      );
    case "TENANT_LIMIT":
    case "USER_LIMIT": {
      const left = hold.what === "gpus" ? hold.limit - hold.used : 0;
      const limits = hold.code === "TENANT_LIMIT" ? "tenants" : "users";
      return (
        smaller(spec, (other) => shapeOf(other).gpus <= left && fitsNow(other)) ||
        `limits.${limits}.${hold.owner}.${hold.what} of ${hold.used + hold.asked} in the policy ` +
          "would let it in, if there is room."
      );
    }
    case "KEPT_BY_QUEUE":
      return (
        smaller(spec, fitsNow) ||
        `A lending limit of ${hold.lendingLimit + hold.asked} for ${hold.queue} would let it in.`
      );
    case "NO_MATCHING_GPU":
      return fitsNow({ ...spec, gpuTypes: [] })
        ? "Without a GPU type it would start now."
        : "Ask for a GPU type that is there.";
    case "TOPOLOGY":
    case "EXCEEDS_CLUSTER":
    case "WAITING_FOR_GPUS":
    case "FRAGMENTED":
    case "RESERVED_FOR_OTHER":
      return looser(spec, fitsNow) || smaller(spec, fitsNow);
    default:
      return unreachable(hold);
  }
}

/** The same job, less particular about where it runs. */
function looser(spec: JobSpec, fitsNow: FitsNow): string {
  const { topology, gpuTypes } = spec;
  if (topology?.mode === "required") {
    const mode = "preferred" as const;
    if (fitsNow({ ...spec, topology: { ...topology, mode } })) {
      return `With topology mode: ${mode} it would start now.`;
    }
  }
  if (spec.spot === "avoid" && fitsNow({ ...spec, spot: "allow" })) {
    return "With spot: allow it would start now.";
  }
  if (!spec.mixesGpuTypes && fitsNow({ ...spec, mixesGpuTypes: true })) {
    return "With mix_gpu_types: true it would start now.";
  }
  if (gpuTypes.length > 0 && fitsNow({ ...spec, gpuTypes: [] })) {
    return "With any GPU type it would start now.";
  }
  return "";
}

function smaller(spec: JobSpec, fitsNow: FitsNow): string {
  return sameGpusSpread(spec, fitsNow) || smallerGang(spec, fitsNow) || fewerGpus(spec, fitsNow);
}

function sameGpusSpread(spec: JobSpec, fitsNow: FitsNow): string {
  const total = spec.nodesMin * spec.perNode.gpus;
  const gpus = below(spec.perNode.gpus).find(
    (each) => total % each === 0 && fitsNow(sized(spec, total / each, each)),
  );
  return gpus === undefined ? "" : `nodes: ${total / gpus} with gpus: ${gpus} would start now.`;
}

/** Whoever fits with n nodes fits with fewer: halving finds the most. */
function smallerGang(spec: JobSpec, fitsNow: FitsNow): string {
  let fitting = 0;
  let tooMany = spec.nodesMin;
  while (tooMany - fitting > 1) {
    const nodes = (fitting + tooMany) >> 1;
    if (fitsNow(sizedTo(spec, nodes))) fitting = nodes;
    else tooMany = nodes;
  }
  return fitting === 0 ? "" : `nodes: ${fitting} would start now.`;
}

function fewerGpus(spec: JobSpec, fitsNow: FitsNow): string {
  const gpus = below(spec.perNode.gpus).find((each) => fitsNow(sized(spec, spec.nodesMin, each)));
  return gpus === undefined ? "" : `gpus: ${gpus} on each node would start now.`;
}

/** n - 1, n - 2, ... 1. */
const below = (n: number): readonly number[] =>
  Array.from({ length: Math.max(0, n - 1) }, (_, at) => n - 1 - at);

const sized = (spec: JobSpec, nodes: number, gpus: number): JobSpec => ({
  ...sizedTo(spec, nodes),
  perNode: { ...spec.perNode, gpus },
});

/** On what is free and reserved for nobody, within every limit. Claims are not known here. */
function tester(state: ClusterState, { queue }: JobSpec, nowMs: number): FitsNow {
  const leaf = new QueueTree(state, nowMs).queue(queue);
  const pool = poolOf(state.nodes);
  for (const { jobId, placement } of state.reservations.values()) {
    for (const task of placement) pool.take(task, jobOf(state, jobId).spec.perNode);
  }
  return (spec) => {
    const shape = shapeOf(spec);
    return limitReached(leaf, shape) === null && fitGang(pool, shape) !== null;
  };
}
