// What a plan may never do, whatever the cluster, the tree and the story so far. Every plan here
// goes through `planStep`, which proves it with `verifyPlan` before it is applied.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobId } from "../../src/base/ids.ts";
import { withheldBecause } from "../../src/scheduler/core/admission.ts";
import type { World } from "../../src/scheduler/core/fixture.ts";
import type { Hold } from "../../src/scheduler/core/hold.ts";
import { invariants } from "../../src/scheduler/core/invariants.ts";
import { plan } from "../../src/scheduler/core/plan.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import { decodeState, encodeState } from "../../src/scheduler/core/snapshot.ts";
import { verifyPlan } from "../../src/scheduler/core/verify.ts";
import { fitsAnyway, spareVictims } from "./plan-oracle.ts";
import {
  activeJobs,
  endEverywhere,
  happen,
  heal,
  leave,
  open,
  stories,
  type Story,
} from "./worlds.ts";
import {
  oneGpuEach,
  onlyGpus,
  twoWaves,
  wideWaves,
  withoutElastic,
  withoutLending,
} from "./worlds-narrow.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const HAPPENINGS = 30;
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 400);

function check(story: Story, each: (world: World) => void): World {
  const world = open(story);
  for (const happening of story.happenings) {
    happen(world, story, happening);
    expect(invariants(world.state)).toEqual([]);
    each(world);
  }
  return world;
}

function always(body: (story: Story) => void, given = stories(HAPPENINGS), runs = RUNS): void {
  console.log(`seed ${SEED}, ${runs} stories`);
  fc.assert(fc.property(given, body), { seed: SEED, numRuns: runs });
}

const planOf = (world: World): Plan => plan(world.state, world.nowMs, world.policy);
const comparable = ({ holds: byJob, ...rest }: Plan): string =>
  JSON.stringify({ ...rest, holds: [...byJob] });

test("every plan is proven, and every state it leads to is sound", () => {
  always((story) => {
    check(story, (world) => {
      expect(verifyPlan(world.state, planOf(world), world.policy)).toEqual([]);
    });
  });
});

test("every pending job starts or is told why not, and the counts are those of the words", () => {
  always((story) => {
    check(story, (world) => {
      const { starts, holds } = planOf(world);
      const started = new Set(starts.map(({ jobId }) => jobId));
      const told = new Map<string, number>();
      for (const { id, phase, spec, admittedAtMs } of world.state.jobs.values()) {
        const hold = holds.of(id);
        const isSeen = phase.kind === "pending" && admittedAtMs !== null;
        expect(hold !== null).toBe(isSeen && !started.has(id));
        if (hold === null) continue;
        const key = `${spec.queue} ${hold.code}`;
        told.set(key, (told.get(key) ?? 0) + 1);
      }
      const counted = [...holds.counts()].flatMap(([queue, counts]) =>
        [...counts].map(([code, count]) => [`${queue} ${code}`, count] as const),
      );
      expect(new Map(counted)).toEqual(told);
      expect(holds.size).toBe([...told.values()].reduce((sum, count) => sum + count, 0));
    });
  });
});

// What an elastic job gets beyond its least is charged after everyone was looked at: among claimants
// it may change who goes first.
test.each([
  ["of any story", stories(HAPPENINGS), RUNS],
  ["of two waves of gangs", twoWaves.map(withoutElastic), RUNS],
] as const)(
  "planning again right after a plan was carried out starts nothing: %s",
  (_, given, runs) => {
    always(
      (story) => {
        check(story, (world) => {
          const before = world.plan();
          const { starts, drops } = planOf(world);
          // A takeover calls for another pass: the loop makes it, so this one need not be the last.
          if (before.drops.some(({ why }) => why === "outranked")) return;
          expect(isTakenOver(drops) ? [] : [...starts, ...drops]).toEqual([]);
        });
      },
      given,
      runs,
    );
  },
);

// Where nodes differ in CPUs or GPU types, a queue that borrows on one may owe what it holds on
// another: that is only seen once it borrows.
test("nor does it evict anybody, where GPUs are all that counts", () => {
  always((story) => {
    check(onlyGpus(story), (world) => {
      world.plan();
      const { evictions, drops } = planOf(world);
      expect(isTakenOver(drops) ? [] : evictions).toEqual([]);
    });
  });
});

/** Room that one plan reserved may be just what a job of a higher class lacked. */
const isTakenOver = (drops: Plan["drops"]): boolean =>
  drops.length > 0 && drops.every(({ why }) => why === "outranked");

test("the same state gives the same plan, also after a restart from a snapshot", () => {
  always((story) => {
    check(story, (world) => {
      const first = comparable(planOf(world));
      expect(comparable(planOf(world))).toBe(first);
      const restored = decodeState([...encodeState(world.state)]);
      expect(comparable(plan(restored, world.nowMs, world.policy))).toBe(first);
    });
  });
});

// Of a crowd alike it is ids that decide who leaves: there a comparison would show that goes by more
// than their order.
test.each([
  ["of any story", stories(HAPPENINGS), RUNS],
  ["of a crowd alike", twoWaves.map(oneGpuEach), Math.ceil(RUNS / 4)],
] as const)(
  "names do not matter, renaming all in the same order renames the plan: %s",
  (_, given, runs) => {
    always((story) => void check(story, expectSameRenamed), given, runs);
  },
);

function expectSameRenamed({ state, nowMs, policy }: World): void {
  const rename = (text: string): string =>
    text
      .replaceAll(/\bnode-(\d)/g, "machine-$1")
      .replaceAll(/\bjob-(\d)/g, "task-$1")
      .replaceAll(/\bq(\d)/g, "team$1")
      .replaceAll(/\buser-(\d)/g, "person-$1");
  const renamed = [...encodeState(state)].map((row) => JSON.parse(rename(JSON.stringify(row))));
  const theirs = plan(decodeState(renamed), nowMs, policy);
  expect(comparable(theirs)).toBe(rename(comparable(plan(state, nowMs, policy))));
}

// Without claims: what these keep from others is not in the plan, so the oracle can't count with
// it. A class does not lift its queue over its share, which is not counted with either: without shares.
test.each([
  ["of any story", stories(HAPPENINGS).map(withoutLending), 0],
  ["of gangs that come to a full cluster", twoWaves, 1],
  ["of gangs on whole nodes that elastic jobs stand on", wideWaves, 1],
] as const)(
  "no victim could have been spared, nor a node of one that shrinks: %s",
  (_, given, shrinksMin) => {
    let evictions = 0;
    let forGangs = 0;
    let shrinks = 0;
    always((story) => {
      const rest = { claimsMax: 0, isShareReclaimed: false, minRunMs: 0, preemptionPatienceMs: 0 };
      const policy = { ...story.policy, ...rest };
      check({ ...story, policy }, (world) => {
        const plan = planOf(world);
        expect(spareVictims(world.state, plan)).toEqual([]);
        for (const { preemptor, how } of plan.evictions) {
          if (preemptor === null) continue;
          evictions += 1;
          if (world.job(preemptor).spec.nodesMin > 1) forGangs += 1;
          if (how === "shrink") shrinks += 1;
        }
      });
    }, given);
    console.log(`${evictions} victims, ${forGangs} of them for gangs; ${shrinks} only shrink`);
    expect(forGangs).toBeGreaterThan(0);
    expect(shrinks).toBeGreaterThanOrEqual(shrinksMin);
  },
);

// Where queues are strictly in order, they do.
test("nobody waits for GPUs that are free and kept for nobody", () => {
  always((story) => {
    const policy = { ...story.policy, isBackfillEnabled: true };
    check({ ...story, policy }, (world) => {
      const { holds: byJob } = world.plan();
      for (const [id, hold] of byJob) {
        if (!["WAITING_FOR_GPUS", "FRAGMENTED", "TOPOLOGY"].includes(hold.code)) continue;
        expect(fitsAnyway(world.state, id), `${id}: ${hold.code}`).toBe(false);
      }
    });
  });
});

test("once all is well, everything that can run ends, and no preemption was for nothing", () => {
  always((story) => {
    const world = check(story, () => undefined);
    const before = world.state.totals.thrash;
    for (let round = 0; round < 400 && !isDone(world); round += 1) {
      heal(world);
      world.nowMs += 700_000;
      const evictedFor = world.plan().evictions.map(({ preemptor }) => preemptor);
      leave(world, null);
      const { starts, drops } = world.plan();
      const served = new Set([...starts, ...drops].map(({ jobId }) => jobId));
      expect(evictedFor.filter((id) => id !== null && !served.has(id))).toEqual([]);
      for (const id of world.state.nodes.keys()) world.report(id);
      const oldest = activeJobs(world, "running")[0];
      if (oldest !== undefined) endEverywhere(world, oldest, true);
      expect(invariants(world.state)).toEqual([]);
    }
    expect(isDone(world)).toBe(true);
    expect(world.state.totals.thrash).toBe(before);
  });
});

/** Withheld jobs that do not wait for one that waits itself. */
function stuck(world: World): readonly string[] {
  const { state } = world;
  const withheld = [...state.pending.withheld()];
  const isWaiting = (id: JobId): boolean => {
    const hold = withheldBecause(state, world.job(id));
    if (hold?.code === "ARRAY_PARALLEL") return state.arrays.get(hold.array)?.admittedCount !== 0;
    return hold?.code === "WAITING_FOR_JOB";
  };
  return withheld.filter((id) => !isWaiting(id));
}

/** Whoever still waits could never run. */
function isDone(world: World): boolean {
  if (world.state.active.size > 0 || stuck(world).length > 0) return false;
  const never = new Set(["EXCEEDS_CLUSTER", "NO_MATCHING_GPU", "EXCEEDS_QUEUE_LIMIT"]);
  const { starts, holds: byJob } = planOf(world);
  const isNever = (hold: Hold): boolean =>
    never.has(hold.code) ||
    (hold.code === "TOPOLOGY" && hold.scope === "ever") ||
    // Nobody else is there who could use it, and it stays idle for its queue all the same.
    hold.code === "KEPT_BY_QUEUE" ||
    ((hold.code === "TENANT_LIMIT" || hold.code === "USER_LIMIT") && hold.asked > hold.limit);
  return starts.length === 0 && [...byJob].every(([, hold]) => isNever(hold));
}
