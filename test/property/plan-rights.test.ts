// What a plan owes to queues and jobs: their limits, their guarantees, and an end of it all. By oracles
// that share nothing with the planner (plan-oracle.ts).

import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { JobId } from "../../src/base/ids.ts";
import { HOUR_MS } from "../../src/base/time.ts";
import type { World } from "../../src/scheduler/core/fixture.ts";
import { activeAttempt } from "../../src/scheduler/core/job.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import { limitsBroken } from "./plan-oracle.ts";
import { rightsUnused } from "./rights-oracle.ts";
import { activeJobs, happen, heal, leave, open, stories, type Story } from "./worlds.ts";
import { oneGpuEach, smallGangs } from "./worlds-narrow.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const HAPPENINGS = 30;
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 400);

let plans = 0;
let evictions = 0;
afterAll(() => console.log(`${plans} plans carried out, ${evictions} evictions among them`));

function planIn(world: World): Plan {
  const plan = world.plan();
  plans += 1;
  evictions += plan.evictions.length;
  return plan;
}

function always(body: (story: Story) => void): void {
  console.log(`seed ${SEED}, ${RUNS} stories`);
  fc.assert(fc.property(stories(HAPPENINGS), body), { seed: SEED, numRuns: RUNS });
}

/** Plays the story and hands over each plan right after it was carried out. */
function play(story: Story, each: (world: World, plan: Plan) => void = () => undefined): World {
  const world = open(story);
  for (const happening of story.happenings) {
    happen(world, story, happening);
    each(world, planIn(world));
  }
  return world;
}

test("no plan starts anything over a limit of GPUs, CPUs or of what may be borrowed", () => {
  always((story) => {
    play(story, (world, plan) => expect(limitsBroken(world.state, plan)).toEqual([]));
  });
});

const atOnce = (story: Story): Story => {
  const patience = { minRunMs: 0, preemptionPatienceMs: 0, claimsMax: 0 };
  const rules = { isPreemptionEnabled: true, isBackfillEnabled: true };
  return { ...story, policy: { ...story.policy, ...patience, ...rules } };
};

test("nobody waits inside a guarantee while others are over theirs", () => {
  always((given) => {
    play(atOnce(oneGpuEach(given)), (world, plan) => {
      expect(rightsUnused(world.state, plan)).toEqual([]);
    });
  });
});

// Room that one pass takes may give another gang a right that it did not have before.
test("no gang does, once planning has come to rest, which it does at every instant", () => {
  always((given) => {
    play(atOnce(smallGangs(given)), (world, first) => {
      let plan = first;
      for (let round = 0; isDeciding(plan); round += 1) {
        expect(round, "passes at one instant").toBeLessThan(PASSES_MAX);
        plan = planIn(world);
      }
      expect(rightsUnused(world.state, plan)).toEqual([]);
    });
  });
});

/** Far more than it takes: jobs are few. */
const PASSES_MAX = 20;

const isDeciding = ({ starts, evictions: evicted, reservations, drops }: Plan): boolean =>
  starts.length + evicted.length + reservations.length + drops.length > 0;

test("who is evicted gives GPUs to the job that it was evicted for", () => {
  always((given) => {
    play(oneGpuEach(given), (world, { evictions: all }) => {
      for (const { victim, preemptor } of all) {
        if (preemptor === null) continue;
        const placement = world.state.reservations.get(preemptor)?.placement ?? [];
        const attempt = activeAttempt(world.job(victim).phase);
        const freed = (attempt?.placement ?? []).flatMap(gpuNames);
        expect(placement.flatMap(gpuNames).some((gpu) => freed.includes(gpu))).toBe(true);
      }
    });
  });
});

const gpuNames = (task: { readonly nodeId: string; readonly gpus: readonly number[] }): string[] =>
  task.gpus.map((gpu) => `${task.nodeId}/${gpu}`);

test("preemptions come to rest: at one instant nobody goes in a circle", () => {
  always((story) => {
    const world = play(story);
    heal(world);
    const roundsMax = 2 * world.state.jobs.size + 8;
    let rounds = 0;
    for (; rounds < roundsMax; rounds += 1) {
      const { starts, evictions: evicted, drops } = planIn(world);
      if (starts.length + evicted.length + drops.length === 0) break;
      leave(world, null);
      for (const id of world.state.nodes.keys()) world.report(id);
    }
    expect(rounds).toBeLessThan(roundsMax);
  });
});

const ROUNDS = 40;

test("as hours pass and jobs save, a job gives way to those who had less only so often", () => {
  always((given) => {
    const queues = given.queues.map((queue) => ({ ...queue, order: "las" as const }));
    const world = play({ ...given, queues });
    const turns = new Map<JobId, number>();
    for (const id of world.state.jobs.keys()) turns.set(id, world.job(id).preemptions);
    for (let round = 0; round < ROUNDS; round += 1) {
      heal(world);
      world.nowMs += 3 * HOUR_MS;
      for (const id of world.state.nodes.keys()) world.report(id);
      for (const id of activeJobs(world, "running")) world.checkpoint(id, world.nowMs);
      for (const { victim, how } of planIn(world).evictions) {
        if (how !== "las") continue;
        expect(world.job(victim).preemptions).toBeLessThan(world.policy.lasPreemptionsMax);
      }
      leave(world, null);
    }
  });
});
