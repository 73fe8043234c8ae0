import { expect, test } from "vitest";
import type { JobId } from "../../base/ids.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { World } from "./fixture.ts";
import { jobOf } from "./lookup.ts";
import { drawEndMs, RunSampler } from "./run-samples.ts";

const run = (world: World, change: Parameters<World["submit"]>[0] = {}): JobId => {
  const id = world.submit(change);
  world.plan();
  world.run();
  return id;
};

/** Quantiles of what it still has to run, in minutes; null = nobody knows. */
function minutes(world: World, id: JobId): readonly number[] | null {
  const samples = new RunSampler(world.state, world.nowMs).of(jobOf(world.state, id));
  if (samples === null) return null;
  return [100, 500, 900].map((permille) => Math.round(drawEndMs(samples, permille) / MINUTE_MS));
}

test("nobody knows of the first that starts; what has run runs on as heavy tails do", () => {
  const world = new World().nodes(1, 1);
  const id = run(world);
  expect(minutes(world, id)).toBeNull();
  world.nowMs += 90 * MINUTE_MS;
  expect(minutes(world, id)).toEqual([10, 90, 810]);
});

test("without anything else it is the time limit, and never more than that", () => {
  const world = new World().nodes(1, 1);
  const id = run(world, { timeLimitMs: 2 * HOUR_MS });
  world.nowMs += HOUR_MS;
  expect(minutes(world, id)).toEqual([60, 60, 60]);
  world.must({ kind: "job.forecast", jobId: id, remainingMs: 55 * MINUTE_MS });
  expect(minutes(world, id)).toEqual([46, 55, 60]);
});

test("what jobs like it ran, given that it has run so long; else all jobs of the cluster", () => {
  const world = new World().nodes(1, 1);
  for (let n = 0; n < 12; n += 1) {
    const id = run(world, { name: "train" });
    world.nowMs += n % 2 === 0 ? 10 * MINUTE_MS : 5 * HOUR_MS;
    world.end(id);
  }
  const id = run(world, { name: "train" });
  const [soon = 0, , late = 0] = minutes(world, id) ?? [];
  expect(soon).toBeLessThan(12);
  expect(late).toBeGreaterThan(280);
  world.nowMs += HOUR_MS;
  const [sooner = 0] = minutes(world, id) ?? [];
  expect(sooner, "not one of the short ones").toBeGreaterThan(200);
  world.nowMs += 10 * HOUR_MS;
  expect(minutes(world, id), "longer than any").toEqual([73, 660, 5_940]);
});
