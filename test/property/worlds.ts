// Random clusters and what happens to them, as data: a tree of queues, nodes, a policy, and a list
// of steps that `play` carries out through the real cycle. Every list makes a legal story, since
// numbers pick from what is there.

import fc from "fast-check";
import type { Refusal } from "../../src/base/errors.ts";
import { type JobId, nodeId, type NodeId, queuePath } from "../../src/base/ids.ts";
import { DAY_MS, HOUR_MS } from "../../src/base/time.ts";
import {
  ALICE,
  CRASHED,
  EXITED_WELL,
  jobSpec,
  nodeSpec,
  queueSpec,
  STOPPED,
  World,
} from "../../src/scheduler/core/fixture.ts";
import { step } from "../../src/scheduler/core/cycle.ts";
import {
  activeAttempt,
  type ArraySpec,
  type DependencyCondition,
  type JobSpec,
  type TopologyRequest,
} from "../../src/scheduler/core/job.ts";
import type { NodeSpec, Policy, QueueSpec } from "../../src/scheduler/core/state.ts";

export type Happening =
  | { readonly kind: "submit"; readonly job: Wish; readonly count: number }
  | { readonly kind: "plan" }
  | { readonly kind: "run" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "checkpoint"; readonly which: number }
  | { readonly kind: "end"; readonly which: number; readonly isWell: boolean }
  | { readonly kind: "leave"; readonly node: number | null }
  | { readonly kind: "cancel"; readonly which: number }
  | { readonly kind: "hold"; readonly which: number }
  | { readonly kind: "release"; readonly which: number }
  | { readonly kind: "node"; readonly which: number; readonly to: "open" | "cordoned" | "draining" }
  | { readonly kind: "lose"; readonly which: number }
  | { readonly kind: "join"; readonly which: number }
  | { readonly kind: "limit"; readonly which: number; readonly limit: number | null }
  | { readonly kind: "forecast"; readonly which: number; readonly remainingMs: number };

export interface Wish {
  readonly queue: number;
  readonly user: number;
  readonly priorityClass: string;
  readonly nodes: number;
  /** How many more it would take. */
  readonly more: number;
  readonly gpus: number;
  readonly cpuMilli: number;
  readonly gpuTypes: readonly string[];
  readonly mixesGpuTypes: boolean;
  readonly topology: TopologyRequest | null;
  readonly spot: JobSpec["spot"];
  readonly timeLimitMs: number | null;
  readonly array: ArraySpec | null;
  readonly after: { readonly which: number; readonly on: DependencyCondition } | null;
  readonly beginAfterMs: number | null;
  /** Where there is a time limit. */
  readonly deadlineAfterMs: number | null;
  readonly isHeld: boolean;
}

export interface Story {
  readonly queues: readonly QueueSpec[];
  readonly nodes: readonly NodeSpec[];
  readonly policy: Partial<Policy>;
  readonly happenings: readonly Happening[];
}

export const TYPES = [
  "NVIDIA H100 80GB",
  "NVIDIA A100-SXM4-40GB",
  "NVIDIA H100 80GB MIG 1g",
] as const;

const which = fc.nat(40);

export const wish: fc.Arbitrary<Wish> = fc.record({
  queue: which,
  user: fc.nat(2),
  priorityClass: fc.constantFrom("low", "normal", "normal", "high"),
  nodes: fc.constantFrom(1, 1, 1, 1, 2, 2, 3),
  more: fc.constantFrom(0, 0, 0, 0, 1, 3),
  gpus: fc.constantFrom(0, 1, 1, 2, 2, 3, 4, 4, 8),
  cpuMilli: fc.constantFrom(0, 0, 0, 0, 8_000, 40_000),
  gpuTypes: fc.constantFrom([], [], [], ["H100"], ["a100"], ["A100", "H100"], ["MIG 1g"]),
  mixesGpuTypes: fc.constantFrom(false, false, true),
  topology: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    {
      weight: 2,
      arbitrary: fc.record({
        level: fc.constantFrom("island", "rack", "block"),
        mode: fc.constantFrom("required", "required", "preferred"),
      }),
    },
  ),
  spot: fc.constantFrom("allow", "allow", "allow", "avoid", "prefer"),
  timeLimitMs: fc.constantFrom(null, null, 60_000),
  array: fc.option(
    fc.record({ indexes: fc.constantFrom("0-3", "2,5"), parallel: fc.constantFrom(null, 1, 2) }),
    { nil: null, freq: 6 },
  ),
  after: fc.option(fc.record({ which, on: fc.constantFrom("ok", "any", "failed") }), {
    nil: null,
    freq: 5,
  }),
  beginAfterMs: fc.constantFrom(null, null, null, null, 30_000),
  deadlineAfterMs: fc.constantFrom(null, 30_000, 90_000, 4_000_000, 9_000_000),
  isHeld: fc.constantFrom(false, false, false, false, false, true),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      job: wish,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("plan") }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("run") }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait"),
      ms: fc.constantFrom(1, 20_000, HOUR_MS, 9 * HOUR_MS, 2 * DAY_MS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("checkpoint"), which }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("end"), which, isWell: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("leave"),
      node: fc.option(which, { nil: null }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel"), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hold"), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release"), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("node"),
      which,
      to: fc.constantFrom("open", "open", "cordoned", "draining"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose"), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("join"), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("limit"),
      which,
      limit: fc.option(fc.nat(20), { nil: null }),
    }),
  },
);

type QuotaFields = Pick<QueueSpec, "borrowingLimit" | "lendingLimit" | "limitCpuMilli">;

const quota: fc.Arbitrary<QuotaFields> = fc.record({
  borrowingLimit: fc.constantFrom(null, null, null, 0, 2, 6),
  lendingLimit: fc.constantFrom(null, null, null, 0, 2),
  limitCpuMilli: fc.constantFrom(null, null, null, 48_000, 90_000),
});

/** Guarantees of children never add up to more than their parent's. */
const queues: fc.Arbitrary<readonly QueueSpec[]> = fc
  .array(
    fc.record({
      guarantee: fc.nat(8),
      slack: fc.option(fc.nat(12), { nil: null, freq: 2 }),
      weight: fc.constantFrom(0, 1, 1, 2, 5),
      order: fc.constantFrom("fifo", "las", "edf", "shortest"),
      children: fc.integer({ min: 0, max: 3 }),
      part: fc.nat(3),
      // Of the top, and of its children: GPUs to borrow and to lend, CPUs.
      quotas: fc.tuple(quota, quota),
    }),
    { minLength: 1, maxLength: 4, size: "max" },
  )
  .map((tops) =>
    tops.flatMap(({ guarantee, slack, weight, order, children, part, quotas }, at): QueueSpec[] => {
      const path = `q${at}`;
      const limit = slack === null ? null : guarantee + slack;
      const top = withQuota(queueSpec(path, { guarantee, limit, weight, order }), quotas[0]);
      const share = children === 0 ? 0 : Math.floor((guarantee * part) / (3 * children));
      const below = Array.from({ length: children }, (_, n) =>
        withQuota(
          queueSpec(`${path}/c${n}`, { guarantee: share, weight: (weight + n) % 3, order }),
          { ...quotas[1], limitCpuMilli: smaller(top.limitCpuMilli, quotas[1].limitCpuMilli) },
        ),
      );
      return [top, ...withSomeShare(below)];
    }),
  )
  .map((all) => {
    const [tops, below] = [true, false].map((isTop) =>
      all.filter(({ path }) => !path.includes("/") === isTop),
    );
    return [...withSomeShare(tops ?? []), ...(below ?? [])];
  });

/** Siblings of which none has a guarantee or a weight are refused. */
function withSomeShare(siblings: readonly QueueSpec[]): readonly QueueSpec[] {
  const isLost = siblings.every(({ weight, guarantee }) => weight === 0 && guarantee === 0);
  return isLost ? siblings.map((queue) => ({ ...queue, weight: 1 })) : siblings;
}

/** What could never be reached is refused, so it is not asked for. */
function withQuota(queue: QueueSpec, given: QuotaFields): QueueSpec {
  const { guarantee, limit } = queue;
  const above = limit === null ? null : limit - guarantee;
  const { borrowingLimit: borrowing, lendingLimit: lending, limitCpuMilli } = given;
  return {
    ...queue,
    borrowingLimit: borrowing === null || above === null ? borrowing : Math.min(borrowing, above),
    lendingLimit: lending === null ? null : Math.min(lending, guarantee),
    limitCpuMilli,
  };
}

/** A child's limit is not over its parent's. */
const smaller = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

const nodes: fc.Arbitrary<readonly NodeSpec[]> = fc
  .array(
    fc.record({
      gpus: fc.constantFrom(1, 4, 4, 8, 8),
      type: fc.constantFrom(0, 0, 0, 1, 2, 3),
      rack: fc.constantFrom("", "r1", "r1", "r2"),
      block: fc.constantFrom("", "b1", "b1", "b2"),
      isSpot: fc.constantFrom(false, false, true),
      islandSize: fc.constantFrom(0, 2, 4),
    }),
    {
      minLength: 1,
      maxLength: 6,
      size: "max",
    },
  )
  .map((list) =>
    list.map(({ gpus, type, rack, block, isSpot, islandSize }, at) => {
      const spec = nodeSpec(`node-${at}`, gpus);
      // 0 to 2: one type; 3: two on one node.
      const typeOf = (index: number): string => TYPES[type === 3 ? index % 2 : type] ?? TYPES[0];
      const islandOf = (index: number): string =>
        islandSize === 0 ? "" : `i${Math.floor(index / islandSize)}`;
      const labels = {
        ...(rack === "" ? {} : { "trainyard.dev/topology-rack": rack }),
        ...(block === "" ? {} : { "trainyard.dev/topology-block": block }),
        ...(isSpot ? { "trainyard.dev/spot": "true" } : {}),
      };
      const all = spec.gpus.map((gpu) => {
        return { ...gpu, type: typeOf(gpu.index), island: islandOf(gpu.index) };
      });
      return { ...spec, labels, gpus: all };
    }),
  );

const drawnPolicy = fc.record({
  isPreemptionEnabled: fc.constantFrom(true, true, true, false),
  isBackfillEnabled: fc.constantFrom(true, true, true, false),
  minRunMs: fc.constantFrom(0, 0, 0, 30_000),
  growAfterMs: fc.constantFrom(0, 20_000, 600_000),
  gangPatienceMs: fc.constantFrom(0, 60_000, 300_000),
  claimsMax: fc.constantFrom(0, 1, 8),
  lasLevelsGpuMs: fc.constantFrom([8 * HOUR_MS], [HOUR_MS, 24 * HOUR_MS], []),
  lasAgingMs: fc.constantFrom(HOUR_MS, 3 * DAY_MS, 30 * DAY_MS),
  isLasLearned: fc.boolean(),
  lasPreemptionsMax: fc.constantFrom(0, 1, 3, 10),
  lasLossMaxMs: fc.constantFrom(0, HOUR_MS, 100 * DAY_MS),
  isShareReclaimed: fc.constantFrom(true, true, false),
  usageHalfLifeMs: fc.constantFrom(0, HOUR_MS, 7 * DAY_MS),
  limits: fc.record({
    tenants: fc.constantFrom({}, {}, {}, { default: { running: 6, gpus: 24 } }),
    users: fc.constantFrom({}, {}, { default: { running: 2 } }, { default: { gpus: 8 } }),
  }),
});

/** Shares hold over as long a time as past use counts, or at each moment where it does not. */
const policy: fc.Arbitrary<Partial<Policy>> = drawnPolicy.map((drawn) => {
  return { ...drawn, shareWindowMs: drawn.usageHalfLifeMs };
});

export const stories = (happeningsMax: number): fc.Arbitrary<Story> =>
  fc.record({
    queues,
    nodes,
    policy,
    happenings: fc.array(happening, {
      minLength: happeningsMax >> 1,
      maxLength: happeningsMax,
      size: "max",
    }),
  });

/** The cluster of a story before anything happened. */
export function open(story: Story): World {
  const world = new World(story.queues, story.policy);
  for (const spec of story.nodes) world.register(spec);
  return world;
}

/** Carries out one happening; what there is nothing for does nothing. */
export function happen(world: World, story: Story, happening: Happening): void {
  switch (happening.kind) {
    case "submit":
      for (let n = 0; n < happening.count; n += 1) submit(world, happening.job);
      return;
    case "plan":
      world.plan();
      return;
    case "run":
      forNodesUp(world, (id) => void world.report(id));
      return;
    case "wait":
      world.nowMs += happening.ms;
      world.must({ kind: "clock.tick" });
      return;
    case "checkpoint": {
      const id = pick(activeJobs(world, "running"), happening.which);
      if (id !== undefined && isHealthy(world, id)) world.checkpoint(id, world.nowMs);
      return;
    }
    case "end": {
      const id = pick(activeJobs(world, "running"), happening.which);
      if (id !== undefined) endEverywhere(world, id, happening.isWell);
      return;
    }
    case "leave":
      return leave(world, happening.node);
    case "cancel": {
      const jobId = pick(submissions(world), happening.which);
      if (jobId !== undefined) world.send({ kind: "job.cancel", jobId, why: "" });
      return;
    }
    case "hold": {
      const jobId = pick(submissions(world), happening.which);
      if (jobId !== undefined) world.send({ kind: "job.hold", jobId, why: "" });
      return;
    }
    case "release": {
      const jobId = pick(submissions(world), happening.which);
      if (jobId !== undefined) world.send({ kind: "job.release", jobId });
      return;
    }
    case "node":
      return setNode(world, happening);
    case "lose": {
      const node = pick([...world.state.nodes.values()], happening.which);
      if (node?.health !== "up") return;
      const { instance } = node;
      world.must({ kind: "node.expire", nodeId: node.spec.id, instance });
      return;
    }
    case "join": {
      const node = pick([...world.state.nodes.values()], happening.which);
      if (node?.health === "lost") world.register(node.spec, `${node.instance}+`);
      return;
    }
    case "limit":
      return setLimit(world, story, happening);
    case "forecast": {
      const jobId = pick(submissions(world), happening.which);
      const { remainingMs } = happening;
      if (jobId !== undefined) world.send({ kind: "job.forecast", jobId, remainingMs });
      return;
    }
  }
}

/** Jobs that have not ended, and arrays. */
function submissions(world: World): readonly JobId[] {
  const live = [...world.state.jobs.keys()].filter((id) => !world.state.ended.has(id));
  return [...live, ...world.state.arrays.keys()];
}

/** Everything is well again: nodes come back open, whoever was told to stop stops, time passes. */
export function heal(world: World): void {
  for (const node of world.state.nodes.values()) {
    if (node.health === "lost") world.register(node.spec, `${node.instance}+`);
    world.must({ kind: "node.uncordon", nodeId: node.spec.id });
  }
  for (const jobId of submissions(world)) world.send({ kind: "job.release", jobId });
  leave(world, null);
}

export function leave(world: World, node: number | null): void {
  const ids = [...world.state.nodes.keys()];
  const one = node === null ? null : pick(ids, node);
  forNodesUp(world, (id) => {
    if (one !== null && one !== id) return;
    world.report(id, (task) => {
      const isStopping = world.job(task.jobId).phase.kind === "stopping";
      return isStopping ? { ...task, state: { kind: "ended", exit: STOPPED } } : task;
    });
  });
}

export function endEverywhere(world: World, id: JobId, isWell: boolean): void {
  forNodesUp(world, (node) => {
    world.report(node, (task) => {
      if (task.jobId !== id) return task;
      return { ...task, state: { kind: "ended", exit: isWell ? EXITED_WELL : CRASHED } };
    });
  });
}

export function activeJobs(world: World, phase: string): readonly JobId[] {
  return [...world.state.active.keys()].filter((id) => world.phase(id) === phase);
}

function submit(world: World, job: Wish): void {
  const leaves = [...world.state.queues.keys()].filter(
    (path) => ![...world.state.queues.keys()].some((other) => other.startsWith(`${path}/`)),
  );
  const { queue, user, nodes: nodesMin, more, gpus, cpuMilli, ...wish } = job;
  const { after, beginAfterMs, deadlineAfterMs, ...rest } = wish;
  const known = [...world.state.jobs.keys(), ...world.state.arrays.keys()];
  const target = after === null ? undefined : pick(known, after.which);
  const spec = jobSpec({
    ...rest,
    nodesMin,
    nodes: nodesMin + more,
    after: after === null || target === undefined ? [] : [{ job: target, on: after.on }],
    beginAtMs: beginAfterMs === null ? null : world.nowMs + beginAfterMs,
    deadlineMs:
      deadlineAfterMs === null || job.timeLimitMs === null ? null : world.nowMs + deadlineAfterMs,
    queue: queuePath(pick(leaves, queue) ?? ""),
    perNode: { gpus, cpuMilli, memoryMib: 0 },
    restartsMax: 1,
  });
  const actor = { ...ALICE, user: `user-${user}` };
  const { events, reply } = step(
    world.state,
    { command: { kind: "job.submit", spec }, actor, request: null },
    world.nowMs,
  );
  world.log.push(...events);
  if (isRefused(reply)) throw new Error(reply.message);
}

const isRefused = (reply: object): reply is Refusal => "remedy" in reply;

function isHealthy(world: World, id: JobId): boolean {
  const attempt = activeAttempt(world.job(id).phase);
  return (
    attempt !== null &&
    attempt.tasks.every(({ kind }) => kind === "running") &&
    attempt.placement.every(({ nodeId: on }) => world.state.nodes.get(on)?.health === "up")
  );
}

function setNode(world: World, { which: at, to }: Extract<Happening, { kind: "node" }>): void {
  const id = pick([...world.state.nodes.keys()], at) ?? nodeId("node-0");
  if (to === "open") world.must({ kind: "node.uncordon", nodeId: id });
  else if (to === "cordoned") world.must({ kind: "node.cordon", nodeId: id, note: "test" });
  else world.must({ kind: "node.drain", nodeId: id, note: "test" });
}

/** A refused change (under a guarantee, over the parent's limit) is part of the story. */
function setLimit(
  world: World,
  story: Story,
  { which: at, limit }: Extract<Happening, { kind: "limit" }>,
): void {
  const spec = pick(story.queues, at);
  if (spec === undefined) return;
  world.send({ kind: "queue.apply", queues: [{ ...spec, limit }], prune: false });
}

function forNodesUp(world: World, act: (id: NodeId) => void): void {
  for (const [id, node] of world.state.nodes) if (node.health === "up") act(id);
}

function pick<T>(items: readonly T[], at: number): T | undefined {
  return items.length === 0 ? undefined : items[at % items.length];
}
