// Between a pass and the moment at which it asks to be woken, nothing comes due: a pass that nobody
// calls would have found nothing to do.

import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_MS } from "../../src/base/time.ts";
import type { World } from "../../src/scheduler/core/fixture.ts";
import { plan } from "../../src/scheduler/core/plan.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import { happen, open, stories } from "./worlds.ts";
import { smallGangs, takingTurns } from "./worlds-narrow.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const HAPPENINGS = 30;
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 400);

/** Far more than it takes: jobs are few. */
const PASSES_MAX = 20;

/** Where nothing is due, the whole of this is looked at. */
const AHEAD_MS = 60 * DAY_MS;

/** Parts of the time until the pass is woken, in thousandths; the last moment before is looked at too. */
const moments = fc.tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(30), fc.constant(1_000));

test.each([
  ["of any story", stories(HAPPENINGS)],
  ["where queues take turns", takingTurns],
])("planning before the moment that the last pass named changes nothing: %s", (_, given) => {
  console.log(`seed ${SEED}, ${RUNS} stories`);
  let [looks, wakes] = [0, 0];
  fc.assert(
    fc.property(given, moments, (story, parts) => {
      const world = open(story);
      for (const happening of story.happenings) {
        happen(world, story, happening);
        const { wakeAtMs } = comeToRest(world);
        const { nowMs } = world;
        const untilMs = wakeAtMs ?? nowMs + AHEAD_MS;
        if (wakeAtMs !== null) wakes += 1;
        expect(untilMs).toBeGreaterThan(nowMs);
        for (const part of parts) {
          const atMs = nowMs + Math.floor(((untilMs - 1 - nowMs) * part) / 1_000);
          const later = plan(world.state, atMs, world.policy);
          expect(textsOf(later), `${atMs - nowMs} of ${untilMs - nowMs} ms`).toEqual([]);
          looks += 1;
        }
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  console.log(`${looks} looks, ${wakes} passes that named a moment`);
  expect(wakes).toBeGreaterThan(0);
});

// What else may happen, and why, is in ARCHITECTURE.md, decision 4.
test.each([
  ["where queues take turns", takingTurns],
  ["of small gangs", stories(HAPPENINGS).map(smallGangs)],
])("who starts is hardly ever evicted by the next pass, and never by las: %s", (_, given) => {
  let [starts, taken] = [0, 0];
  fc.assert(
    fc.property(given, (story) => {
      const world = open(story);
      for (const happening of story.happenings) {
        happen(world, story, happening);
        const begun = new Set(world.plan().starts.map(({ jobId }) => jobId));
        starts += begun.size;
        const { evictions } = plan(world.state, world.nowMs, world.policy);
        const again = evictions.filter(({ victim }) => begun.has(victim));
        taken += again.length;
        expect(again.filter(({ how }) => how === "las")).toEqual([]);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  console.log(`seed ${SEED}, ${RUNS} stories: ${taken} of ${starts} starts were taken back`);
  expect(taken).toBeLessThanOrEqual(1 + starts / 200);
});

function comeToRest(world: World): Plan {
  for (let passes = 0; ; passes += 1) {
    expect(passes, "passes at one instant").toBeLessThan(PASSES_MAX);
    const found = world.plan();
    if (textsOf(found).length === 0) return found;
  }
}

const textsOf = ({ starts, evictions, reservations, drops }: Plan): readonly string[] => [
  ...starts.map(({ jobId }) => `${jobId} starts`),
  ...evictions.map(({ victim, how, preemptor }) => `${victim} leaves for ${preemptor} (${how})`),
  ...reservations.map(({ jobId }) => `${jobId} reserves`),
  ...drops.map(({ jobId, why }) => `${jobId} loses its room (${why})`),
];
