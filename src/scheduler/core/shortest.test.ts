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
