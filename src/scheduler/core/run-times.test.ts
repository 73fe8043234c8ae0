import { expect, test } from "vitest";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import { ALICE, jobSpec, World } from "./fixture.ts";
import {
  learnedRemainingMs,
  learnedSecondsPerEnd,
  learnRunTime,
  type RunTimes,
} from "./run-times.ts";

const BOB = { tenant: "default", user: "bob" };

function learned(minutes: readonly number[], name = "train-7"): Map<string, RunTimes> {
  const known = new Map<string, RunTimes>();
  for (const ran of minutes) learnRunTime(known, jobSpec({ name }), ALICE, ran * MINUTE_MS);
  return known;
}

test("says what a part of the like had ended within", () => {
  const known = learned([10, 10, 10, 10, 100]);
  const remaining = (permille: number, ranMs = 0): number | null =>
    learnedRemainingMs(known, jobSpec({ name: "train-8" }), ALICE, ranMs, permille);
  expect(remaining(500)).toBe(640 * SECOND_MS); // the bucket of 10 min ends there
  expect(remaining(990)).toBe(6_144 * SECOND_MS);
  expect(remaining(500, HOUR_MS), "only one ran as long").toBeNull();
});

test("what ran on is held against those that ran as long", () => {
  const known = learned([1, 1, 1, 1, 60, 60, 60, 60, 60]);
  const atStart = learnedRemainingMs(known, jobSpec({ name: "train" }), ALICE, 0, 400);
  const later = learnedRemainingMs(known, jobSpec({ name: "train-1" }), ALICE, 30 * MINUTE_MS, 400);
  expect(atStart).toBeLessThan(2 * HOUR_MS);
  expect(later).toBeGreaterThan(29 * MINUTE_MS);
});

test("what an end costs falls for who comes near it, and rises in a heavy tail", () => {
  const cost = (known: Map<string, RunTimes>, ranMinutes: number): number | null => {
    const like = { queue: "default", ownerKey: "", runsAs: "" };
    return learnedSecondsPerEnd(known, like, ranMinutes * 60);
  };
  const alike = learned(Array.from({ length: 30 }, () => 600));
  expect(cost(alike, 0)).toBeGreaterThan(9 * 3_600);
  expect(cost(alike, 540)).toBeLessThan(2 * 3_600);
  const tail = learned(Array.from({ length: 30 }, (_, n) => (n < 10 ? 1 : 1_000)));
  expect(cost(tail, 0), "of three, one ends within a minute").toBeLessThan(4 * 60);
  expect(cost(tail, 5)).toBeGreaterThan(15 * 3_600);
  expect(cost(learned(Array.from({ length: 19 }, () => 10)), 0), "too few").toBeNull();
});

test("falls back from name to user to queue, and to nothing", () => {
  const known = learned([10, 10, 10, 10, 10]);
  const of = (name: string, owner = ALICE, queue = jobSpec().queue): number | null =>
    learnedRemainingMs(known, { ...jobSpec({ name }), queue }, owner, 0, 500);
  expect(of("other")).not.toBeNull();
  expect(of("other", BOB)).not.toBeNull();
  expect(learnedRemainingMs(new Map(), jobSpec(), ALICE, 0, 500)).toBeNull();
});

test("the newest outweigh the old, and what is not used is forgotten", () => {
  const known = learned(Array.from({ length: 1_200 }, (_, at) => (at < 600 ? 10 : 100)));
  expect(learnedRemainingMs(known, jobSpec({ name: "train-1" }), ALICE, 0, 500)).toBeGreaterThan(
    90 * MINUTE_MS,
  );
  for (let n = 0; n < 21_000; n += 1) {
    learnRunTime(
      known,
      jobSpec({ name: "x".repeat((n % 60) + 1) }),
      {
        tenant: "default",
        user: `user-${n}`,
      },
      MINUTE_MS,
    );
  }
  expect(known.size).toBe(20_000);
});

test("a success is learned from, with all its attempts", () => {
  const world = new World().nodes(1, 1);
  for (let n = 0; n < 5; n += 1) {
    const id = world.submit({ name: `run-${n}` });
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    world.end(id);
  }
  const { runTimes } = world.state;
  const remainingMs = learnedRemainingMs(runTimes, jobSpec({ name: "run-9" }), ALICE, 0, 500);
  expect(remainingMs).toBeGreaterThanOrEqual(HOUR_MS);
  expect(remainingMs).toBeLessThan(1.3 * HOUR_MS);
});
