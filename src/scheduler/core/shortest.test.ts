import { expect, test } from "vitest";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { queueSpec, World } from "./fixture.ts";
import { invariants } from "./invariants.ts";

test("in a queue of order shortest, the fewest GPU hours to come go first; the unknown last", () => {
  const world = new World([queueSpec("default", { order: "shortest" })], { claimsMax: 0 });
  const unknown = world.submit();
  const wide = world.submit({ gpus: 4, timeLimitMs: HOUR_MS });
  const long = world.submit({ timeLimitMs: 3 * HOUR_MS });
  const told = world.submit({ timeLimitMs: 9 * HOUR_MS });
  world.must({ kind: "job.forecast", jobId: told, remainingMs: MINUTE_MS });
  expect(invariants(world.state)).toEqual([]);
  world.plan();
  world.nodes(1, 4);
  const { starts, holds } = world.plan();
  expect(starts.map(({ jobId }) => jobId)).toEqual([told, long, unknown]);
  expect(holds.of(wide)).toMatchObject({ code: "WAITING_FOR_GPUS", ahead: [] });
});

test("who has less than half as much to come takes its turn, and whoever nobody knows does not", () => {
  const queue = queueSpec("default", { order: "shortest" });
  const world = new World([queue], { claimsMax: 0, preemptionPatienceMs: 0 }).nodes(1, 1);
  const long = world.submit();
  world.must({ kind: "job.forecast", jobId: long, remainingMs: 10 * HOUR_MS });
  world.plan();
  world.run();
  world.submit();
  expect(world.plan().evictions, "nobody knows how long it runs").toEqual([]);
  const alike = world.submit();
  world.must({ kind: "job.forecast", jobId: alike, remainingMs: 8 * HOUR_MS });
  expect(world.plan().evictions).toEqual([]);
  const short = world.submit();
  world.must({ kind: "job.forecast", jobId: short, remainingMs: HOUR_MS });
  expect(world.plan().evictions).toMatchObject([
    { victim: long, how: "shortest", preemptor: short },
  ]);
});
