import { expect, test } from "vitest";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import { World } from "./fixture.ts";
import { jobOf } from "./lookup.ts";
import { isNews, StepPace } from "./step-pace.ts";

/** A pace after `count` steps, each of `stepMs`. */
function paced(count: number, stepMs: number): StepPace {
  const pace = new StepPace();
  for (let step = 0; step <= count; step += 1) pace.note(step, step * stepMs);
  return pace;
}

test("what is left is the steps left at the pace so far", () => {
  expect(paced(100, SECOND_MS).remainingMs(1_000)).toBe(900 * SECOND_MS);
  expect(paced(100, SECOND_MS).remainingMs(100)).toBe(0);
  expect(paced(50_000, 100).remainingMs(100_000)).toBe(5_000 * SECOND_MS);
});

test("says nothing before it has seen enough, and goes by the whole attempt", () => {
  expect(new StepPace().remainingMs(10)).toBeNull();
  expect(paced(2, MINUTE_MS).remainingMs(10)).toBeNull();
  expect(paced(19, SECOND_MS).remainingMs(100)).toBeNull();
  const pace = paced(1_000, SECOND_MS);
  for (let step = 1; step <= 1_000; step += 1) {
    pace.note(1_000 + step, (1_000 + 3 * step) * SECOND_MS);
  }
  expect(pace.remainingMs(3_000)).toBe(2_000 * SECOND_MS);
});

test("steps that come late, or again, say nothing", () => {
  const pace = paced(100, SECOND_MS);
  pace.note(50, 200 * SECOND_MS);
  pace.note(101, 90 * SECOND_MS);
  expect(pace.remainingMs(200)).toBe(100 * SECOND_MS);
});

test("news is what moved by a fifth, and by a minute", () => {
  const world = new World().nodes(1, 1);
  const id = world.submit();
  world.plan();
  world.run();
  const isNewsNow = (ms: number): boolean => isNews(jobOf(world.state, id), ms, world.nowMs);
  expect(isNewsNow(HOUR_MS)).toBe(true);
  world.must({ kind: "job.forecast", jobId: id, remainingMs: HOUR_MS });
  world.nowMs += 30 * MINUTE_MS;
  expect(isNewsNow(30 * MINUTE_MS)).toBe(false);
  expect(isNewsNow(35 * MINUTE_MS)).toBe(false);
  expect(isNewsNow(37 * MINUTE_MS)).toBe(true);
  expect(isNewsNow(23 * MINUTE_MS)).toBe(true);
  world.nowMs += 29 * MINUTE_MS;
  expect(isNewsNow(1.9 * MINUTE_MS)).toBe(false);
  world.nowMs += 2 * MINUTE_MS;
  expect(isNewsNow(MINUTE_MS), "it has outrun what was told").toBe(true);
});
