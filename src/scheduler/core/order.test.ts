import { expect, test } from "vitest";
import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { step } from "./cycle.ts";
import { ALICE, jobSpec, queueSpec, STOPPED, World } from "./fixture.ts";

function submitAs(world: World, user: string): void {
  const command = { kind: "job.submit", spec: jobSpec() } as const;
  step(world.state, { command, actor: { ...ALICE, user }, request: null }, world.nowMs);
}

test("inside a class the user who holds the fewest GPUs goes first, however late he came", () => {
  const world = new World().nodes(1, 4);
  for (const user of ["ann", "ann", "ann", "ann", "bob", "bob"]) submitAs(world, user);
  const { starts } = world.plan();
  const owners = starts.map(({ jobId }) => world.job(jobId).owner.user);
  expect(owners).toEqual(["ann", "bob", "ann", "bob"]);
});

/** A queue whose jobs take ten hours each: two have been put off, after nine hours and after two. */
function putOff(isLasLearned: boolean): Record<"near" | "young" | "first", JobId> {
  const queue = queueSpec("default", { order: "las" });
  const bounds = { minRunMs: 0, preemptionPatienceMs: 0, lasLossMaxMs: DAY_MS, claimsMax: 0 };
  const world = new World([queue], { isLasLearned, lasLevelsGpuMs: [HOUR_MS], ...bounds });
  world.nodes(1, 1);
  const runFor = (id: JobId, ranMs: number): JobId => {
    world.plan();
    world.run();
    expect(world.phase(id)).toBe("running");
    world.nowMs += ranMs;
    return id;
  };
  for (let n = 0; n < 20; n += 1) world.end(runFor(world.submit(), 10 * HOUR_MS));
  const near = runFor(world.submit(), 9 * HOUR_MS);
  const young = world.submit();
  world.plan();
  runFor(world.end(near, STOPPED) && young, 2 * HOUR_MS);
  const short = world.submit();
  world.plan();
  world.end(runFor(world.end(young, STOPPED) && short, MINUTE_MS));
  const [next] = world.plan().starts;
  return { near, young, first: must(next, "the next start").jobId };
}

test("beyond the first level of a las queue, who had less goes first", () => {
  const { first, young } = putOff(false);
  expect(first).toBe(young);
});

test("with las_learned it is who should end for the fewest GPU hours, as others of the queue did", () => {
  const { first, near } = putOff(true);
  expect(first).toBe(near);
});
