import { expect, test } from "vitest";
import { type JobId, nodeId } from "../../base/ids.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { World } from "./fixture.ts";
import { invariants } from "./invariants.ts";
import { expectedRemainingMs } from "./remaining-time.ts";
import { RUN_TIMES_MIN } from "./run-times.ts";

const left = (world: World, id: JobId): number | null =>
  expectedRemainingMs(world.state, world.job(id), world.nowMs, 900);

/** A job that runs, of which somebody said that it has an hour to go. */
function forecastAnHour(): { world: World; id: JobId } {
  const world = new World().nodes(1, 1);
  const id = world.submit();
  world.plan();
  world.run();
  world.must({ kind: "job.forecast", jobId: id, remainingMs: HOUR_MS });
  return { world, id };
}

test("nobody knows how long a job runs of which nothing is said or learned", () => {
  const world = new World();
  expect(left(world, world.submit())).toBe(null);
});

test("a forecast shrinks while the job runs and not while it waits", () => {
  const { world, id } = forecastAnHour();
  world.nowMs += 20 * MINUTE_MS;
  expect(left(world, id)).toBe(40 * MINUTE_MS);
  const waiting = world.submit();
  world.must({ kind: "job.forecast", jobId: waiting, remainingMs: HOUR_MS });
  world.nowMs += 5 * MINUTE_MS;
  expect(left(world, waiting)).toBe(HOUR_MS);
  expect(invariants(world.state)).toEqual([]);
});

test("work that is lost is to be run again", () => {
  const { world, id } = forecastAnHour();
  world.nowMs += 10 * MINUTE_MS;
  world.checkpoint(id, 1);
  world.nowMs += 20 * MINUTE_MS;
  world.must({ kind: "node.drain", nodeId: nodeId("node-1"), note: "" });
  world.plan();
  world.end(id, { reason: "stopped", code: 0, message: "" });
  expect(left(world, id)).toBe(50 * MINUTE_MS);
});

test("a forecast that the job has outrun counts for nothing", () => {
  const { world, id } = forecastAnHour();
  world.nowMs += HOUR_MS + 1;
  expect(left(world, id)).toBe(null);
});

test("without a forecast, what jobs like it took; never more than its time limit", () => {
  const world = new World().nodes(1, 1);
  for (let n = 0; n < RUN_TIMES_MIN; n += 1) {
    const id = world.submit();
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    world.end(id);
  }
  const learned = left(world, world.submit());
  expect(learned).toBeGreaterThan(HOUR_MS);
  expect(learned).toBeLessThan(1.2 * HOUR_MS);
  expect(left(world, world.submit({ timeLimitMs: MINUTE_MS }))).toBe(MINUTE_MS);
});

test("a forecast of a job that has ended says nothing; one that is no time is refused", () => {
  const { world, id } = forecastAnHour();
  const wrong = world.send({ kind: "job.forecast", jobId: id, remainingMs: -1 });
  expect(wrong).toMatchObject({ code: "INVALID_SPEC", field: "remainingMs" });
  world.end(id);
  const events = world.log.length;
  world.must({ kind: "job.forecast", jobId: id, remainingMs: 5 });
  expect(world.log.length).toBe(events);
});
