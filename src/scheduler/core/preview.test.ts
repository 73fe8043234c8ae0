import { describe, expect, test } from "vitest";
import { must } from "../../base/assert.ts";
import { queuePath } from "../../base/ids.ts";
import { HOUR_MS } from "../../base/time.ts";
import { ALICE, jobSpec, queueSpec, World } from "./fixture.ts";
import { plan } from "./plan.ts";
import { planFor, type Preview, previewOf, previewPass, suppose } from "./preview.ts";

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

describe("what is known of the pass before is not gone by", () => {
  /** By it, and by a look at everybody. */
  function previews(world: World, wish: Parameters<typeof jobSpec>[0]): readonly Preview[] {
    const { findings } = world.plan();
    const { state, nowMs } = world;
    const command = { kind: "job.submit", spec: jobSpec(wish) } as const;
    const supposed = suppose(state, [command], ALICE, nowMs);
    if (supposed.kind === "refusal") throw new Error(supposed.message);
    const id = must(supposed.jobId, "a job");
    return [findings, null].map((known) =>
      previewOf(planFor(supposed.state, id, nowMs, known), id),
    );
  }
  const [a, b, c] = [queuePath("a"), queuePath("b"), queuePath("c")];

  test("where it kept room for one who waits for an end", () => {
    const queues = [queueSpec("a", { limit: 4, weight: 100 }), queueSpec("b")];
    const world = new World(queues, { isShareReclaimed: false }).nodes(1, 16);
    for (let run = 0; run < 5; run += 1) {
      const id = world.submit({ queue: a, gpus: 4 });
      world.plan();
      world.run();
      world.nowMs += 10_000;
      world.end(id);
    }
    world.submit({ queue: b, gpus: 8 });
    world.submit({ queue: a, gpus: 4 });
    world.plan();
    world.run();
    const next = world.submit({ queue: a, gpus: 4, priorityClass: "high" });
    expect(world.plan().holds.of(next)?.code).toBe("WAITING_FOR_END");
    const [known, looked] = previews(world, { queue: b, gpus: 4 });
    expect(looked).toMatchObject({ kind: "waits", hold: { holder: next } });
    expect(known).toEqual(looked);
  });

  test("where the newcomer changes what others are due", () => {
    const world = new World([queueSpec("a"), queueSpec("b"), queueSpec("c")]).nodes(1, 10);
    world.submit({ queue: a, gpus: 10 });
    world.plan();
    world.run();
    world.submit({ queue: c, gpus: 1 });
    const [known, looked] = previews(world, { queue: b, gpus: 5 });
    expect(looked?.kind).toBe("reserves");
    expect(known).toEqual(looked);
  });

  test("where others used up the looks for room ahead of claims", () => {
    const policy = { claimsMax: 1, isPreemptionEnabled: false, gangPatienceMs: 0 };
    const world = new World([queueSpec("default")], policy).nodes(2, 2);
    world.submit({ gpus: 2, timeLimitMs: HOUR_MS });
    world.submit({ gpus: 1, timeLimitMs: HOUR_MS });
    world.plan();
    world.run();
    world.submit({ nodes: 2, gpus: 2, priorityClass: "high" });
    for (let n = 0; n < 1_100; n += 1) {
      world.submit({ gpus: 1, timeLimitMs: 5 * HOUR_MS + n, deadlineMs: 10 ** 9 + n });
    }
    const { findings } = world.plan();
    expect(findings?.hasLookedAhead).toBe(false);
    const [known, looked] = previews(world, {
      priorityClass: "high",
      timeLimitMs: 60_000,
    });
    expect(looked?.kind).toBe("starts");
    expect(known).toEqual(looked);
  });
});
