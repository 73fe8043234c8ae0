// Stories with less in them, for rules that hold only where less counts.

import fc from "fast-check";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/time.ts";
import { nodeSpec, queueSpec } from "../../src/scheduler/core/fixture.ts";
import { type Happening, stories, type Story, TYPES, type Wish, wish } from "./worlds.ts";

/** The same story with GPUs of one type, anywhere, and without CPUs. */
export function onlyGpus(story: Story): Story {
  const nodes = story.nodes.map((node) => ({
    ...node,
    gpus: node.gpus.map((gpu) => ({ ...gpu, type: TYPES[0] })),
  }));
  const happenings = story.happenings.map((happening) => {
    if (happening.kind !== "submit") return happening;
    const anywhere = { gpuTypes: [], topology: null, spot: "allow" } as const;
    return { ...happening, job: { ...happening.job, cpuMilli: 0, ...anywhere } };
  });
  return { ...story, nodes, happenings };
}

/** The same story with jobs of one size each. */
export function withoutElastic(story: Story): Story {
  const happenings = story.happenings.map((happening) =>
    happening.kind === "submit" ? { ...happening, job: { ...happening.job, more: 0 } } : happening,
  );
  return { ...story, happenings };
}

/** The same story with queues that keep nothing from others. */
export function withoutLending(story: Story): Story {
  return { ...story, queues: story.queues.map((queue) => ({ ...queue, lendingLimit: null })) };
}

/**
 * The same story with jobs of one GPU, too many for the cluster, that may run at once, and no limit on
 * anybody.
 */
export function oneGpuEach(given: Story): Story {
  return crowded(given, (job) => ({ ...job, nodes: 1, more: 0, gpus: 1 }));
}

/** The same with gangs of one to three nodes and one to four GPUs each, some of them elastic. */
export function smallGangs(given: Story): Story {
  return crowded(given, (job) => ({ ...job, gpus: Math.min(4, Math.max(1, job.gpus)) }));
}

/**
 * Small gangs in two waves: low ones that fill the cluster, and then high ones, one by one, that find
 * it full.
 */
export const twoWaves: fc.Arbitrary<Story> = fc
  .tuple(stories(2), wishes(24), wishes(8))
  .map(([story, low, high]) => {
    const filling: Happening[] = [{ kind: "plan" }, { kind: "run" }, { kind: "wait", ms: 60_000 }];
    const coming = high.flatMap((job): Happening[] => [
      { kind: "submit", job: { ...job, priorityClass: "high" }, count: 1 },
      { kind: "plan" },
      { kind: "run" },
    ]);
    const filled = low.map((job): Happening => {
      return { kind: "submit", job: { ...job, priorityClass: "low" }, count: 1 };
    });
    return smallGangs({ ...story, happenings: [...filled, ...filling, ...coming] });
  });

/** A job of one GPU that runs anywhere. */
const SMALL: Wish = {
  queue: 0,
  user: 0,
  priorityClass: "normal",
  nodes: 1,
  more: 0,
  gpus: 1,
  cpuMilli: 0,
  gpuTypes: [],
  mixesGpuTypes: false,
  topology: null,
  spot: "allow",
  timeLimitMs: null,
  array: null,
  after: null,
  beginAfterMs: null,
  deadlineAfterMs: null,
  isHeld: false,
};

/** Run times of jobs that have ended: most are short, and who is not runs long. */
const LEARNED = [1, 1, 1, 1, 30, 60, 60, 600, 600, 900].map((minutes) => minutes * MINUTE_MS);

const turn: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      job: fc
        .record({
          gpus: fc.constantFrom(1, 2, 4),
          priorityClass: fc.constantFrom("normal", "normal", "high"),
          timeLimitMs: fc.constantFrom(null, null, null, 30 * MINUTE_MS, 2 * DAY_MS),
        })
        .map((wish) => ({ ...SMALL, ...wish })),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("forecast"),
      which: fc.nat(40),
      remainingMs: fc.constantFrom(MINUTE_MS, HOUR_MS, 20 * HOUR_MS),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "run" }) },
  { weight: 2, arbitrary: fc.constant({ kind: "leave", node: null }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait"),
      ms: fc.constantFrom(1, 20_000, 5 * MINUTE_MS, HOUR_MS, 9 * HOUR_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("checkpoint"), which: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("end"),
      which: fc.nat(40),
      isWell: fc.constantFrom(true, true, false),
    }),
  },
);

const turns: fc.Arbitrary<readonly Happening[]> = fc.array(turn, {
  minLength: 15,
  maxLength: 40,
  size: "max",
});

/**
 * A full node or two, a queue that takes turns, and run times of which some are said and some learned:
 * where much comes due though nothing happens. Without claims, which move with each guess about those
 * who stand on their nodes; and of one user, for where two share, the patience of who goes first is
 * what the pass wakes for.
 */
export const takingTurns: fc.Arbitrary<Story> = fc
  .tuple(
    stories(2),
    turns,
    fc.record({
      order: fc.constantFrom("las", "shortest"),
      limit: fc.constantFrom(null, null, 3, 5),
    }),
    fc.record({
      lasAgingMs: fc.constantFrom(HOUR_MS, DAY_MS),
      cheapLossMs: fc.constantFrom(5 * MINUTE_MS, 100 * DAY_MS),
    }),
  )
  .map(([story, happenings, queue, varied]) => {
    const queues = [queueSpec("q0", queue)];
    const turnsMax = { lasPreemptionsMax: 10, lasLossMaxMs: 100 * DAY_MS };
    const firm = { isPreemptionEnabled: true, claimsMax: 0, ...turnsMax };
    const policy = { ...story.policy, ...firm, ...varied };
    const learned = LEARNED.flatMap((ms): Happening[] => [
      { kind: "submit", job: SMALL, count: 1 },
      { kind: "plan" },
      { kind: "run" },
      { kind: "wait", ms },
      { kind: "end", which: 0, isWell: true },
    ]);
    const small = smallGangs({ ...story, policy, happenings: [...learned, ...happenings] });
    return { ...small, queues };
  });

/**
 * Two waves of jobs on whole nodes, of which there are six: elastic jobs beside gangs that leave on
 * several nodes at once, so that what was asked of an elastic one before may be more than is needed.
 */
export const wideWaves: fc.Arbitrary<Story> = fc
  .tuple(
    fc.array(fc.record({ nodes: fc.constantFrom(1, 1, 2), more: fc.constantFrom(0, 2, 3) }), {
      minLength: 2,
      maxLength: 5,
    }),
    fc.array(fc.constantFrom(2, 3, 4), { minLength: 1, maxLength: 2 }),
    fc.constantFrom("newest", "least-lost"),
  )
  .map(([low, high, victimOrder]) => {
    const submit = (wish: Partial<Wish>): Happening => {
      return { kind: "submit", job: { ...SMALL, gpus: 4, ...wish }, count: 1 };
    };
    // Who comes at once is placed at its least: one by one they fill the cluster.
    const filled = low.flatMap((wish): Happening[] => [
      submit({ ...wish, priorityClass: "low" }),
      { kind: "plan" },
      { kind: "run" },
      { kind: "wait", ms: 60_000 },
    ]);
    const coming = high.map((nodes) => submit({ nodes, priorityClass: "high" }));
    return {
      queues: [queueSpec("q0", { order: "fifo" })],
      nodes: Array.from({ length: 6 }, (_, at) => nodeSpec(`node-${at}`, 4)),
      policy: { isPreemptionEnabled: true, victimOrder },
      happenings: [...filled, ...coming],
    };
  });

function wishes(most: number): fc.Arbitrary<readonly Wish[]> {
  return fc.array(wish, { minLength: most >> 1, maxLength: most, size: "max" });
}

function crowded(given: Story, sized: (job: Wish) => Wish): Story {
  const story = onlyGpus(given);
  const nodes = story.nodes.slice(0, 3).map((node) => ({ ...node, gpus: node.gpus.slice(0, 4) }));
  const queues = story.queues.map((queue) => ({
    ...queue,
    limit: null,
    limitCpuMilli: null,
    borrowingLimit: null,
    lendingLimit: null,
  }));
  const atOnce = { array: null, after: null, beginAfterMs: null, isHeld: false } as const;
  const happenings = story.happenings.flatMap((happening): Happening[] => {
    if (happening.kind === "limit") return [];
    if (happening.kind !== "submit") return [happening];
    return [{ ...happening, job: { ...sized(happening.job), ...atOnce } }];
  });
  const limits = { tenants: {}, users: {} };
  return { queues, nodes, happenings, policy: { ...story.policy, limits } };
}
