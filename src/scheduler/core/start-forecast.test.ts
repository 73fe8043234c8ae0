import { describe, expect, test } from "vitest";
import { must } from "../../base/assert.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { type JobId, queuePath } from "../../base/ids.ts";
import { nodeSpec, queueSpec, World } from "./fixture.ts";
import { jobOf } from "./lookup.ts";
import { forecastStarts, type StartForecast } from "./start-forecast.ts";

const started = (world: World, change: Parameters<World["submit"]>[0]): JobId => {
  const id = world.submit(change);
  world.plan();
  world.run();
  return id;
};

function forecastStart(world: World, id: JobId): StartForecast {
  const forecast = forecastStarts(world.state, world.nowMs).of(jobOf(world.state, id), 0);
  return must(forecast, "it waits");
}

/** Ends `count` jobs of the name that ran that long each. */
function learn(world: World, count: number, ranMs: number): void {
  for (let n = 0; n < count; n += 1) {
    const id = started(world, { gpus: 1 });
    world.nowMs += ranMs;
    world.end(id);
    world.plan();
  }
}

describe("when a waiting job starts", () => {
  test("at the end of the time limit that is in its way", () => {
    const world = new World().nodes(1, 4);
    started(world, { gpus: 4, timeLimitMs: 30 * MINUTE_MS });
    const id = world.submit({ gpus: 2 });
    world.plan();
    world.nowMs += 10 * MINUTE_MS;
    const seen = forecastStart(world, id);
    expect(seen).toMatchObject({ p50Ms: 20 * MINUTE_MS, p90Ms: 20 * MINUTE_MS, gap: null });
  });

  test("after those who are ahead of it, in the planner's order", () => {
    const world = new World().nodes(1, 4);
    const hour = { gpus: 4, timeLimitMs: HOUR_MS };
    started(world, hour);
    world.submit(hour);
    const id = world.submit(hour);
    const first = world.submit({ ...hour, priorityClass: "high", nodes: 1 });
    world.state.policy = { ...world.policy, isPreemptionEnabled: false };
    world.plan();
    expect(forecastStart(world, first).p50Ms).toBe(HOUR_MS);
    expect(forecastStart(world, id).p50Ms).toBe(3 * HOUR_MS);
  });

  test("as soon as jobs like the one in its way ended, if no limit is nearer", () => {
    const world = new World().nodes(1, 1);
    learn(world, 8, HOUR_MS);
    started(world, { gpus: 1 });
    const id = world.submit({ gpus: 1 });
    world.plan();
    const { p50Ms } = forecastStart(world, id);
    // Run times are counted in buckets of a quarter octave.
    expect(p50Ms).toBeGreaterThanOrEqual(HOUR_MS);
    expect(p50Ms).toBeLessThan(1.25 * HOUR_MS);
  });

  test("is not known while nobody knows how long those run who are in its way", () => {
    const world = new World().nodes(1, 1);
    started(world, { gpus: 1 });
    const id = world.submit({ gpus: 1 });
    world.plan();
    expect(forecastStart(world, id)).toMatchObject({
      p50Ms: null,
      gap: "run_times",
    });
  });

  test("is never when even an empty cluster has no room for it", () => {
    const world = new World().nodes(1, 2);
    const id = world.submit({ gpus: 4 });
    world.plan();
    expect(forecastStart(world, id)).toMatchObject({
      p50Ms: null,
      gap: "never",
    });
  });

  test("a gang gets what those in its way leave, node by node", () => {
    const world = new World().nodes(2, 4);
    started(world, { gpus: 4, timeLimitMs: HOUR_MS });
    started(world, { gpus: 4, timeLimitMs: 3 * HOUR_MS });
    const gang = world.submit({ nodes: 2, gpus: 4 });
    world.plan();
    expect(forecastStart(world, gang).p50Ms).toBe(3 * HOUR_MS);
  });

  test("the same state gives the same forecast, and nothing of it is changed", () => {
    const world = new World().nodes(2, 4);
    started(world, { gpus: 4, timeLimitMs: HOUR_MS });
    const gang = world.submit({ nodes: 2, gpus: 4 });
    world.plan();
    const before = structuredClone([...world.state.jobs]);
    const seen = forecastStart(world, gang);
    expect(forecastStart(world, gang)).toEqual(seen);
    expect([...world.state.jobs]).toEqual(before);
    expect(world.plan().starts).toEqual([]);
  });

  test("far back in a long queue it is known by the pace of the queue", () => {
    const world = new World().nodes(1, 1);
    const short = { gpus: 1, timeLimitMs: 10 * MINUTE_MS };
    started(world, short);
    for (let n = 0; n < 4_200; n += 1) world.submit(short);
    const id = world.submit(short);
    world.plan();
    const seen = forecastStarts(world.state, world.nowMs).of(jobOf(world.state, id), 4_200);
    expect(seen).toMatchObject({ gap: null, basis: "pace" });
    expect(Math.round((seen?.p50Ms ?? 0) / HOUR_MS)).toBe(700);
    expect(seen?.p90Ms).toBeGreaterThan(1_200 * HOUR_MS);
  });

  test("who came after it was made goes by those before it that can start at all", () => {
    const world = new World().nodes(1, 1);
    const short = { gpus: 1, timeLimitMs: 10 * MINUTE_MS };
    started(world, short);
    world.submit(short);
    world.submit({ gpus: 8 });
    world.plan();
    const starts = forecastStarts(world.state, world.nowMs);
    const late = world.submit(short);
    const seen = starts.of(jobOf(world.state, late), 2);
    expect(seen).toMatchObject({ gap: null, basis: "runs" });
    expect(seen?.p50Ms).toBe(20 * MINUTE_MS);
  });

  test("a gang that waits past its patience is not overtaken for ever by small jobs", () => {
    const world = new World().nodes(2, 4);
    const hour = { gpus: 4, timeLimitMs: HOUR_MS };
    started(world, hour);
    started(world, { gpus: 4, timeLimitMs: 1.5 * HOUR_MS });
    const gang = world.submit({ nodes: 2, gpus: 4 });
    world.nowMs += world.policy.gangPatienceMs;
    for (let n = 0; n < 20; n += 1) world.submit(hour);
    world.plan();
    const { p50Ms } = forecastStart(world, gang);
    expect(p50Ms).toBe(1.5 * HOUR_MS - world.policy.gangPatienceMs);
  });

  test("keeps to limits, GPU types and racks, and to the resources beside GPUs", () => {
    const world = new World([queueSpec("a", { limit: 4 }), queueSpec("b")]);
    world.register({ ...nodeSpec("one", 8), labels: { rack: "r1" } });
    world.register({ ...nodeSpec("two", 8), labels: { rack: "r2" } });
    const hour = { gpus: 4, timeLimitMs: HOUR_MS } as const;
    started(world, { ...hour, queue: queuePath("a") });
    const limited = world.submit({ ...hour, queue: queuePath("a") });
    const topology = { level: "rack", mode: "required" } as const;
    const racked = world.submit({ queue: queuePath("b"), nodes: 2, gpus: 2, topology });
    const typed = world.submit({ queue: queuePath("b"), gpus: 1, gpuTypes: ["H100"] });
    world.plan();
    expect(forecastStart(world, limited).p50Ms).toBe(HOUR_MS);
    expect(forecastStart(world, racked).gap).toBe("never");
    expect(forecastStart(world, typed).gap).toBe("never");
  });
});

describe("a job that came after a forecast was made", () => {
  const [short, long] = [10 * MINUTE_MS, HOUR_MS];
  const whole = { gpus: 4, timeLimitMs: long } as const;
  const half = { gpus: 2, timeLimitMs: short } as const;

  /** Two nodes that are full, and in the queue: whole, half, whole, half. */
  function busy(): World {
    const world = new World([queueSpec("default"), queueSpec("other")], {
      isPreemptionEnabled: false,
    }).nodes(2, 4);
    started(world, whole);
    started(world, { gpus: 4, timeLimitMs: 30 * MINUTE_MS });
    for (const change of [whole, half, whole, half]) world.submit(change);
    world.plan();
    return world;
  }

  /** What the old forecast says, and what one says that knows it. */
  function bothOf(change: Parameters<World["submit"]>[0], aheadCount: number) {
    const world = busy();
    const before = forecastStarts(world.state, world.nowMs);
    const job = jobOf(world.state, world.submit(change));
    const after = forecastStarts(world.state, world.nowMs);
    return [before.of(job, aheadCount), after.of(job, aheadCount)];
  }

  test("takes the place of the next who is like it, or needs more", () => {
    const [seen, known] = bothOf({ ...half, priorityClass: "high" }, 0);
    expect(seen).toEqual(known);
    expect(seen?.p50Ms).toBe(30 * MINUTE_MS);
  });

  test("comes after those ahead of it who need no more", () => {
    const [seen, known] = bothOf({ ...half, gpus: 3 }, 4);
    expect(seen?.p50Ms).toBeGreaterThanOrEqual(known?.p50Ms ?? 0);
    expect(seen).toMatchObject({ gap: null, basis: "runs" });
  });

  test("larger than all others, it is played through behind its queue", () => {
    const [seen, known] = bothOf({ ...whole, nodes: 2 }, 4);
    expect(seen).toEqual({ ...known, basis: "queue" });
    expect(seen?.p50Ms).toBeGreaterThan(long);
  });

  test("goes first in a queue in which nobody else waits, within its limits", () => {
    const [seen] = bothOf({ ...half, queue: queuePath("other") }, 0);
    expect(seen).toMatchObject({ p50Ms: 30 * MINUTE_MS, basis: "queue" });
  });

  test("is told nothing of a queue that is newer than the forecast", () => {
    const world = busy();
    const before = forecastStarts(world.state, world.nowMs);
    const queues = [queueSpec("new")];
    world.must({ kind: "queue.apply", queues, prune: false });
    const job = jobOf(world.state, world.submit({ queue: queuePath("new") }));
    expect(before.of(job, 0)).toBe(null);
  });
});
