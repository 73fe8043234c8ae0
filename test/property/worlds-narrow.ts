// Stories with less in them, for rules that hold only where less counts.

import { type Happening, type Story, TYPES } from "./worlds.ts";

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
  const story = onlyGpus(given);
  const nodes = story.nodes.slice(0, 2).map((node) => ({ ...node, gpus: node.gpus.slice(0, 4) }));
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
    return [{ ...happening, job: { ...happening.job, ...atOnce, nodes: 1, more: 0, gpus: 1 } }];
  });
  const limits = { tenants: {}, users: {} };
  return { queues, nodes, happenings, policy: { ...story.policy, limits } };
}
