// What a seed's cluster looks like and what its users want of it. Draws everything once, up front.

import { nodeId, type QueuePath, queuePath } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import { type DependencyCondition, type JobSpec, SPEC_DEFAULTS } from "../scheduler/core/job.ts";
import { completeQueueSpec } from "../scheduler/core/queue-spec.ts";
import {
  DEFAULT_POLICY,
  type NodeSpec,
  type Policy,
  type QueueSpec,
} from "../scheduler/core/state.ts";
import type { Profile } from "./training.ts";

export interface PlannedJob {
  readonly spec: JobSpec;
  readonly profile: Profile;
  readonly submitAtMs: number;
  /** Null = never. */
  readonly cancelAfterMs: number | null;
  readonly life: Life;
}

/** What keeps it from being placed at once. */
export interface Life {
  /** How the job that was accepted before it must have ended; null = it does not matter. */
  readonly afterLast: DependencyCondition | null;
  readonly beginAfterMs: number | null;
  /** Held then, after it was accepted; always released later. Null = never. */
  readonly holdAfterMs: number | null;
  readonly releaseAfterMs: number;
}

export interface Workload {
  readonly nodes: readonly NodeSpec[];
  readonly queues: readonly QueueSpec[];
  readonly jobs: readonly PlannedJob[];
  readonly policy: Policy;
  /** How long faults rage. */
  readonly safetyMs: number;
}

export function drawWorkload(prng: Prng): Workload {
  const safetyMs = 60_000 + prng.below(180_000);
  const nodes = drawNodes(prng);
  const queues = drawQueues(prng, nodes);
  const leaves = queues.filter(({ path }) => !queues.some((other) => isBelow(other.path, path)));
  const count = 3 + prng.below(12);
  const hasCancels = prng.chance(1, 2);
  const submitWithinMs = prng.chance(1, 2) ? 20_000 : safetyMs * 0.7;
  const plain = Array.from({ length: count }, (_, index): PlannedJob => {
    const profile = drawProfile(prng);
    return {
      spec: drawSpec(prng, `run-${index + 1}`, prng.pick(leaves).path, profile),
      profile,
      submitAtMs: prng.below(submitWithinMs),
      cancelAfterMs: hasCancels && prng.chance(1, 4) ? prng.below(60_000) : null,
      life: PLAIN_LIFE,
    };
  });
  const policy = drawPolicy(prng);
  const jobs = prng.chance(1, 2) ? plain : plain.map((job) => drawLife(prng, job));
  return { nodes, queues, jobs, policy, safetyMs };
}

const PLAIN_LIFE: Life = {
  afterLast: null,
  beginAfterMs: null,
  holdAfterMs: null,
  releaseAfterMs: 0,
};

function drawLife(prng: Prng, job: PlannedJob): PlannedJob {
  const indexes = `${prng.below(3)}-${2 + prng.below(3)}`;
  const array = prng.chance(1, 5) ? { indexes, parallel: prng.pick([null, 1, 2]) } : null;
  const isHeld = prng.chance(1, 8);
  const life = {
    afterLast: prng.chance(1, 3) ? prng.pick(["ok", "ok", "any", "failed"] as const) : null,
    beginAfterMs: prng.chance(1, 8) ? prng.below(60_000) : null,
    holdAfterMs: prng.chance(1, 5) ? prng.below(40_000) : null,
    releaseAfterMs: prng.below(60_000),
  };
  return { ...job, spec: { ...job.spec, array, isHeld }, life };
}

/** Whether the empty, healthy cluster could ever hold the job. */
export function couldRun(
  spec: JobSpec,
  nodes: readonly NodeSpec[],
  limitOf: (path: QueuePath) => number | null,
): boolean {
  const large = nodes.filter(({ gpus }) => {
    const fitting = gpus.filter(
      ({ type }) => spec.gpuTypes.length === 0 || spec.gpuTypes.includes(type),
    );
    return fitting.length >= spec.perNode.gpus;
  });
  if (large.length < spec.nodesMin) return false;
  const segments = spec.queue.split("/");
  return segments.every((_, index) => {
    const limit = limitOf(queuePath(segments.slice(0, index + 1).join("/")));
    return limit === null || limit >= spec.nodesMin * spec.perNode.gpus;
  });
}

export function drawQueues(prng: Prng, nodes: readonly NodeSpec[]): readonly QueueSpec[] {
  const total = nodes.reduce((sum, node) => sum + node.gpus.length, 0);
  const guarantee = prng.below(Math.floor(total / 2) + 1);
  const limit = prng.chance(1, 3) ? Math.max(guarantee, 1 + prng.below(total)) : null;
  const weight = (): number => prng.below(4);
  const order = prng.chance(1, 2) ? "fifo" : "las";
  const queue = (path: string, change: Partial<QueueSpec>): QueueSpec =>
    completeQueueSpec({ path: queuePath(path), weight: weight(), order, ...change });
  return [
    queue("prod", { guarantee }),
    queue("research", {
      weight: 1 + prng.below(3),
      limit: prng.chance(1, 3) ? 1 + prng.below(total) : null,
    }),
    queue("team", { guarantee: Math.floor(total / 4), limit: limit === null ? null : total }),
    queue("team/a", { guarantee: prng.below(Math.floor(total / 4) + 1) }),
    queue("team/b", { weight: 1 + prng.below(3) }),
  ];
}

function isBelow(path: QueuePath, parent: QueuePath): boolean {
  return path.startsWith(`${parent}/`);
}

function drawNodes(prng: Prng): readonly NodeSpec[] {
  const size = 1 + prng.below(4);
  const isMixed = prng.chance(1, 4);
  return Array.from({ length: 1 + prng.below(4) }, (_, index): NodeSpec => {
    const gpus = isMixed ? 1 + prng.below(4) : size;
    const type = isMixed && prng.chance(1, 2) ? "B" : "A";
    const name = `n${index + 1}`;
    return {
      id: nodeId(name),
      address: name,
      gpus: Array.from({ length: gpus }, (__, gpu) => ({
        index: gpu,
        uuid: `${name}-${gpu}`,
        type,
        memoryMib: 80_000,
        island: "",
      })),
      cpuMilli: 64_000,
      memoryMib: 256_000,
      labels: {},
      agentVersion: "sim",
    };
  });
}

function drawSpec(prng: Prng, name: string, queue: QueuePath, profile: Profile): JobSpec {
  const workMs = profile.steps * profile.stepMs;
  const nodesMin = 1 + prng.below(3);
  return {
    name,
    queue,
    priorityClass: prng.pick(["low", "normal", "high"]),
    nodes: nodesMin + (prng.chance(1, 4) ? 1 + prng.below(2) : 0),
    nodesMin,
    perNode: { gpus: prng.chance(1, 20) ? 0 : 1 + prng.below(3), cpuMilli: 0, memoryMib: 0 },
    command: { kind: "exec", argv: ["train"] },
    env: {},
    bundle: null,
    setup: "",
    timeLimitMs: prng.chance(1, 6) ? workMs / 2 + prng.below(workMs * 2) : null,
    graceMs: 2_000 + prng.below(40_000),
    stopSignal: "SIGTERM",
    restartsMax: prng.below(4),
    checkpoint: { keep: 1 + prng.below(3), patterns: [] },
    ...SPEC_DEFAULTS,
    gpuTypes: prng.chance(1, 8) ? ["A"] : [],
    // A gang may then stand on nodes of both types, as `couldRun` has it.
    mixesGpuTypes: true,
  };
}

function drawProfile(prng: Prng): Profile {
  return {
    steps: 5 + prng.below(100),
    stepMs: 100 + prng.below(900),
    checkpointSteps: prng.chance(1, 5) ? 0 : 3 + prng.below(20),
    isSharded: prng.chance(1, 2),
    onStop: prng.chance(3, 5) ? "save" : prng.pick(["die", "ignore"]),
    failure: prng.chance(1, 3) ? prng.below(700) : 0,
    onPeerLoss: prng.pick(["hang", "abort"]),
    prepareMs: 20 + prng.below(4_000),
  };
}

function drawPolicy(prng: Prng): Policy {
  return {
    ...DEFAULT_POLICY,
    usageHalfLifeMs: prng.pick([0, 60_000, DEFAULT_POLICY.usageHalfLifeMs]),
    minRunMs: prng.pick([0, 0, 10_000]),
    growAfterMs: prng.pick([0, 5_000, 30_000]),
    gangPatienceMs: prng.pick([5_000, 30_000, 300_000]),
    backoffBaseMs: 2_000,
    backoffMaxMs: 30_000,
    stopGraceMs: prng.pick([2_000, 10_000]),
    isPreemptionEnabled: !prng.chance(1, 8),
  };
}
