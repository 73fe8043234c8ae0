import { describe, expect, test } from "vitest";
import { type JobId, queuePath } from "../../base/ids.ts";
import { SECOND_MS } from "../../base/time.ts";
import { queueSpec, World } from "./fixture.ts";
import type { Policy } from "./state.ts";

const a = queuePath("a");
const high = { queue: a, gpus: 4, priorityClass: "high" };

/** Four GPUs of eight may be used, and a job of normal class, who run for `seconds`, has them now. */
function busy(
  seconds: number,
  { policy = {}, limit = 4 }: { policy?: Partial<Policy>; limit?: number | null } = {},
): { readonly world: World; readonly first: JobId } {
  const world = new World([queueSpec("a", { limit })], policy).nodes(1, limit === null ? 4 : 8);
  for (let n = 0; n < 5; n += 1) {
    const id = world.submit({ queue: a, gpus: 4 });
    world.plan();
    world.run();
    world.nowMs += seconds * SECOND_MS;
    world.end(id);
  }
  const first = world.submit({ queue: a, gpus: 4 });
  world.plan();
  world.run();
  return { world, first };
}

describe("who is about to end", () => {
  test("is not evicted, and nobody gets ahead of whom it keeps waiting", () => {
    const { world, first } = busy(10);
    const urgent = world.submit(high);
    const plan = world.plan();
    expect(plan).toMatchObject({ evictions: [], reservations: [] });
    const untilMs = world.nowMs + 12 * SECOND_MS;
    expect(plan.holds.of(urgent)).toEqual({ code: "WAITING_FOR_END", jobs: [first], untilMs });
    expect(plan.wakeAtMs).toBeLessThanOrEqual(untilMs);
    const small = world.submit({ queue: a, gpus: 1 });
    world.end(first);
    expect(world.plan().starts).toMatchObject([{ jobId: urgent }]);
    expect(world.phase(small)).toBe("pending");
  });

  test("keeps its room from others while it empties", () => {
    const { world, first } = busy(10, { limit: 5 });
    const urgent = world.submit({ ...high, gpus: 5 });
    world.submit({ queue: a, gpus: 1 });
    expect(world.plan(), "one GPU of the limit is left").toMatchObject({ starts: [] });
    world.end(first);
    expect(world.plan().starts).toMatchObject([{ jobId: urgent }]);
  });

  test("is evicted if it runs on for longer than those before it", () => {
    const { world, first } = busy(10);
    world.submit(high);
    const startedAtMs = world.nowMs;
    let plan = world.plan();
    for (; plan.evictions.length === 0; plan = world.plan()) world.nowMs = plan.wakeAtMs ?? 0;
    expect(plan.evictions).toMatchObject([{ victim: first, how: "priority" }]);
    expect(world.nowMs).toBe(startedAtMs + 12 * SECOND_MS);
  });

  test("is evicted when the patience of who waits ends, or what was said of it turns out wrong", () => {
    const { world, first } = busy(10, { policy: { preemptionPatienceMs: 3 * SECOND_MS } });
    world.submit(high);
    expect(world.plan().wakeAtMs).toBe(world.nowMs + 3 * SECOND_MS);
    world.nowMs += 3 * SECOND_MS;
    expect(world.plan().evictions).toMatchObject([{ victim: first }]);
    const { world: other, first: wrong } = busy(300);
    other.must({ kind: "job.forecast", jobId: wrong, remainingMs: 5 * SECOND_MS });
    other.submit({ ...high, timeLimitMs: 1 });
    expect(other.plan()).toMatchObject({ evictions: [], wakeAtMs: other.nowMs + 5 * SECOND_MS });
    other.nowMs += 5 * SECOND_MS + 1;
    expect(other.plan().evictions).toMatchObject([{ victim: wrong }]);
  });

  test("is evicted if a restart costs less than what it has to run, or nobody knows", () => {
    const victimOf = (seconds: number, policy: Partial<Policy> = {}): boolean => {
      const { world } = busy(seconds, { policy });
      world.submit(high);
      return world.plan().evictions.length > 0;
    };
    expect(victimOf(10)).toBe(false);
    expect(victimOf(10, { restartCostMs: 5 * SECOND_MS })).toBe(true);
    expect(victimOf(300)).toBe(true);
    expect(victimOf(10, { preemptionPatienceMs: 0 }), "who waits has no patience").toBe(true);
  });

  test("is evicted where nodes are full: what it leaves could not be kept", () => {
    const { world, first } = busy(10, { limit: null });
    world.submit(high);
    expect(world.plan().evictions).toMatchObject([{ victim: first }]);
  });
});
