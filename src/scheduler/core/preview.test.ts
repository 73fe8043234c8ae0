import { expect, test } from "vitest";
import { queuePath } from "../../base/ids.ts";
import { queueSpec, World } from "./fixture.ts";
import { plan } from "./plan.ts";
import { previewOf, previewPass } from "./preview.ts";

test("a plan up to a job tells its fate, and looks at nobody behind it", () => {
  const [a, b] = [queuePath("a"), queuePath("b")];
  const world = new World([queueSpec("a"), queueSpec("b", { guarantee: 4 })]).nodes(2, 4);
  world.submit({ queue: a, gpus: 4 });
  world.submit({ queue: a, gpus: 4 });
  world.plan();
  world.run();
  const [first, second] = [world.submit({ queue: b, gpus: 2 }), world.submit({ queue: b })];
  const third = world.submit({ queue: b });
  const { state, nowMs, policy } = world;
  const whole = plan(state, nowMs, policy);
  for (const id of [first, second, third]) {
    expect(previewPass(state, id, nowMs)).toEqual(previewOf(whole, id));
  }
  const reserved = plan(state, nowMs, policy, { until: second }).reservations.map(
    ({ jobId }) => jobId,
  );
  expect(reserved).toEqual([first, second]);
  expect(whole.reservations.map(({ jobId }) => jobId)).toEqual([first, second, third]);
});
