import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import { queueSpec, World } from "./fixture.ts";
import { invariants } from "./invariants.ts";
import { decodeState, encodeState } from "./snapshot.ts";

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

const AT_ONCE = { claimsMax: 0, preemptionPatienceMs: 0 };

/** Ends `count` jobs of the name that ran that long each. */
function learn(world: World, name: string, count: number, ranMs: number): void {
  for (let n = 0; n < count; n += 1) {
    const id = world.submit({ name: `${name}-${n}` });
    world.plan();
    world.run();
    world.nowMs += ranMs;
    world.end(id);
  }
}

test("where nobody said, jobs go as long as jobs of their name ran; that evicts nobody", () => {
  const queue = queueSpec("default", { order: "shortest" });
  const world = new World([queue], { claimsMax: 0, preemptionPatienceMs: 0 }).nodes(1, 1);
  learn(world, "sweep", 6, MINUTE_MS);
  learn(world, "train", 6, 5 * HOUR_MS);
  const running = world.submit({ name: "train-7" });
  world.plan();
  world.run();
  const long = world.submit({ name: "train-8" });
  const short = world.submit({ name: "sweep-7" });
  expect(world.plan().evictions).toEqual([]);
  world.state.policy = { ...world.policy, isPreemptionEnabled: false };
  const limited = world.submit({ name: "train-9", timeLimitMs: HOUR_MS });
  const order: string[] = [];
  for (let id = running; order.length < 3; ) {
    world.end(id);
    const [start] = world.plan().starts;
    if (start === undefined) break;
    world.run();
    order.push(start.jobId);
    id = start.jobId;
  }
  expect(order).toEqual([short, limited, long]);
});

test("a pass wakes when a job outruns what was said of it, and others like it ran for far longer", () => {
  const queue = queueSpec("default", { order: "shortest" });
  const world = new World([queue], { ...AT_ONCE, gangPatienceMs: 90 * DAY_MS }).nodes(1, 1);
  learn(world, "train", 6, 20 * HOUR_MS);
  const wrong = world.submit({ name: "train-7" });
  world.must({ kind: "job.forecast", jobId: wrong, remainingMs: 30 * MINUTE_MS });
  world.plan();
  world.run();
  const waits = world.submit({ timeLimitMs: 2 * HOUR_MS });
  const { evictions, wakeAtMs } = world.plan();
  expect(evictions).toEqual([]);
  expect(wakeAtMs).toBe(world.nowMs + 30 * MINUTE_MS + 1);
  world.nowMs += 30 * MINUTE_MS;
  expect(world.plan()).toMatchObject({ evictions: [], wakeAtMs });
  world.nowMs += 1;
  expect(world.plan().evictions).toMatchObject([
    { victim: wrong, preemptor: waits, how: "shortest" },
  ]);
});

test("or when most of those it was likened to have ended by then", () => {
  const queue = queueSpec("default", { order: "shortest" });
  const world = new World([queue], { ...AT_ONCE, gangPatienceMs: 90 * DAY_MS }).nodes(1, 1);
  learn(world, "train", 20, MINUTE_MS);
  learn(world, "train", 6, 20 * HOUR_MS);
  const running = world.submit({ name: "train-7" });
  world.plan();
  world.run();
  const waits = world.submit({ timeLimitMs: HOUR_MS });
  const beganAtMs = world.nowMs;
  let plan = world.plan();
  for (let passes = 1; plan.evictions.length === 0; passes += 1) {
    expect(passes).toBeLessThan(10);
    world.nowMs = plan.wakeAtMs ?? 0;
    plan = world.plan();
  }
  expect(plan.evictions).toMatchObject([{ victim: running, preemptor: waits, how: "shortest" }]);
  expect(world.nowMs - beganAtMs, "the bucket of a minute ends here").toBe(64 * SECOND_MS);
});

test("a queue that is given the order, or loses it, groups those who wait anew", () => {
  const queue = queueSpec("default", { order: "shortest" });
  const world = new World([queue]);
  const groups = (): number => {
    const [ofClass] = world.state.pending.queue(queue.path)?.classes.values() ?? [];
    return [...(ofClass?.lines.values() ?? [])].reduce((sum, line) => sum + line.groups.size, 0);
  };
  for (const name of ["a-1", "a-2", "b"]) world.submit({ name });
  world.submit({ name: "c", timeLimitMs: HOUR_MS });
  expect(groups()).toBe(3);
  world.must({ kind: "queue.apply", queues: [{ ...queue, order: "fifo" }], prune: false });
  expect(invariants(world.state)).toEqual([]);
  expect(groups()).toBe(2);
  world.must({ kind: "queue.apply", queues: [queue], prune: false });
  expect(invariants(world.state)).toEqual([]);
  expect(groups()).toBe(3);
});

test("a restart from a snapshot groups by name as before", () => {
  const world = new World([queueSpec("default", { order: "shortest" })]);
  world.submit({ name: "a-1" });
  world.submit({ name: "a-2" });
  world.submit({ name: "b" });
  const again = decodeState(encodeState(world.state));
  expect(invariants(again)).toEqual([]);
});
