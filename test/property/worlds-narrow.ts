// Stories with less in them, for rules that hold only where less counts.

import fc from "fast-check";
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
