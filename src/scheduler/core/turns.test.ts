import { describe, expect, test } from "vitest";
import { type JobId, nodeId, queuePath } from "../../base/ids.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { nodeSpec, queueSpec, STOPPED, World } from "./fixture.ts";
import type { Plan } from "./plan-types.ts";
import type { Policy } from "./state.ts";

const [a, b] = [queuePath("a"), queuePath("b")];

const started = (plan: Plan): readonly JobId[] => plan.starts.map(({ jobId }) => jobId);
const victims = (plan: Plan): readonly JobId[] => plan.evictions.map(({ victim }) => victim);

describe("fair shares", () => {
  /** Queue `a` on all eight GPUs, in jobs of one GPU. */
  const filled = (policy: Partial<Policy> = {}): World => {
    const world = new World([queueSpec("a"), queueSpec("b")], policy).nodes(1, 8);
    for (let n = 0; n < 8; n += 1) world.submit({ queue: a });
    world.plan();
    return world.run();
  };

  test("a queue takes back its share, and not more", () => {
    const world = filled();
    for (let n = 0; n < 8; n += 1) world.submit({ queue: b });
    const { evictions } = world.plan();
    expect(evictions).toHaveLength(4);
    expect(evictions[0]).toMatchObject({ how: "share" });
    for (const { victim } of evictions) world.end(victim, STOPPED);
    world.plan();
    expect(world.run().plan().evictions, "both have what they are due").toEqual([]);
  });

  test("nobody is over a share by less than half of what he would lose", () => {
    const world = new World([queueSpec("a"), queueSpec("b")]).nodes(1, 8);
    world.submit({ queue: a, gpus: 5 });
    world.plan();
    world.run();
    world.submit({ queue: b, gpus: 4 });
    expect(world.plan().evictions, "one over, and five would go").toEqual([]);
  });

  test("without the right they wait", () => {
    const world = filled({ isShareReclaimed: false });
    world.submit({ queue: b });
    expect(world.plan().evictions).toEqual([]);
  });
});

describe("turns in a las queue", () => {
  const las = (policy: Partial<Policy> = {}): World =>
    new World([queueSpec("a", { order: "las" })], policy).nodes(1, 4);

  /** A job on all four GPUs that has run for three hours, with a checkpoint that is `ageMs` old. */
  const veteran = (world: World, ageMs: number): JobId => {
    const id = world.submit({ queue: a, gpus: 4 });
    world.plan();
    world.run();
    world.nowMs += 3 * HOUR_MS - ageMs;
    world.checkpoint(id, 1);
    world.nowMs += ageMs;
    return id;
  };

  /** One that had much has given way to a newcomer, which runs. */
  const givenWay = (world: World): { readonly old: JobId; readonly young: JobId } => {
    const old = veteran(world, MINUTE_MS);
    const young = world.submit({ queue: a, gpus: 4 });
    world.plan();
    world.end(old, STOPPED);
    world.plan();
    world.run();
    return { old, young };
  };

  test("who had less takes over from who had more, once that one has just saved", () => {
    const world = las();
    const old = veteran(world, MINUTE_MS);
    const young = world.submit({ queue: a, gpus: 2 });
    expect(world.plan().evictions).toMatchObject([{ victim: old, how: "las", preemptor: young }]);
  });

  test("no turn is taken inside a level, nor in a fifo queue", () => {
    const world = new World([queueSpec("a", { order: "las" }), queueSpec("b")]).nodes(1, 4);
    const first = world.submit({ queue: a, gpus: 4 });
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    world.submit({ queue: a, gpus: 4 });
    expect(world.plan().evictions, "an hour of 4 GPUs is below the level of 8 GPU h").toEqual([]);
    world.end(first);
    const fifo = las({ lasLevelsGpuMs: [] });
    veteran(fifo, 0);
    fifo.submit({ queue: a, gpus: 1 });
    expect(fifo.plan().evictions).toEqual([]);
  });

  test("a dear victim is spared until the patience of the taker ends, and the pass wakes then", () => {
    const world = las({ gangPatienceMs: HOUR_MS });
    const old = veteran(world, 20 * MINUTE_MS);
    const submittedAtMs = world.nowMs;
    world.submit({ queue: a, gpus: 2 });
    const plan = world.plan();
    expect(plan.evictions).toEqual([]);
    expect(plan.wakeAtMs).toBe(submittedAtMs + 10 * MINUTE_MS);
    world.nowMs += 10 * MINUTE_MS;
    expect(victims(world.plan())).toEqual([old]);
  });

  test("a pass wakes when one who runs sinks below one who waits, though nothing happens", () => {
    const world = las({ cheapLossMs: HOUR_MS, gangPatienceMs: DAY_MS });
    const first = world.submit({ queue: a, gpus: 4 });
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    world.checkpoint(first, 1);
    const second = world.submit({ queue: a, gpus: 4 });
    const plan = world.plan();
    expect(plan.evictions, "4 GPU h of 8").toEqual([]);
    expect(plan.wakeAtMs).toBe(world.nowMs + HOUR_MS);
    world.nowMs += HOUR_MS - 1;
    expect(world.plan().evictions, "still on one level").toEqual([]);
    world.nowMs += 1;
    expect(world.plan().evictions).toMatchObject([{ victim: first, preemptor: second }]);
  });

  test("nobody wakes for one who sinks no further, has given way often, or whose class is another", () => {
    const wakes = (policy: Partial<Policy>, priorityClass: string): number | null => {
      const world = las({ gangPatienceMs: DAY_MS, ...policy });
      world.submit({ queue: a, gpus: 4, priorityClass });
      world.plan();
      world.run();
      world.submit({ queue: a, gpus: 4 });
      const { wakeAtMs } = world.plan();
      return wakeAtMs === null ? null : wakeAtMs - world.nowMs;
    };
    expect(wakes({}, "normal")).toBe(2 * HOUR_MS);
    expect(wakes({}, "high")).toBe(DAY_MS);
    expect(wakes({ lasPreemptionsMax: 0 }, "normal")).toBe(DAY_MS);
    expect(wakes({ lasLevelsGpuMs: [] }, "normal")).toBe(DAY_MS);
    expect(wakes({ isPreemptionEnabled: false }, "normal")).toBe(DAY_MS);
  });

  test("a pass wakes when one who waits has waited so long that it counts as new", () => {
    const world = las({ lasAgingMs: 7 * DAY_MS, cheapLossMs: DAY_MS, gangPatienceMs: 90 * DAY_MS });
    const { old, young } = givenWay(world);
    world.nowMs += 3 * HOUR_MS;
    world.checkpoint(young, 1);
    const waitsFromMs = world.nowMs - 3 * HOUR_MS;
    const { evictions, wakeAtMs } = world.plan();
    expect(evictions, "both have had enough for the second level").toEqual([]);
    expect(wakeAtMs).toBe(waitsFromMs + 7 * DAY_MS + 1);
    world.nowMs = waitsFromMs + 7 * DAY_MS - 1;
    world.checkpoint(young, 2);
    expect(world.plan()).toMatchObject({ evictions: [], wakeAtMs });
    world.nowMs += 2;
    expect(world.plan().evictions).toMatchObject([{ victim: young, preemptor: old, how: "las" }]);
  });

  test("whoever would lose more than an hour, or was preempted too often, is left alone", () => {
    const dear = las();
    veteran(dear, 61 * MINUTE_MS);
    dear.submit({ queue: a, gpus: 2 });
    dear.nowMs += HOUR_MS;
    expect(dear.plan().evictions).toEqual([]);
    const often = las({ lasPreemptionsMax: 0 });
    veteran(often, MINUTE_MS);
    often.submit({ queue: a, gpus: 2 });
    expect(often.plan().evictions).toEqual([]);
  });

  test("of those that wait, who had less goes first; who waited too long goes before all", () => {
    const world = las({ lasAgingMs: 7 * DAY_MS });
    const { old, young } = givenWay(world);
    const newcomer = world.submit({ queue: a, gpus: 4 });
    world.end(young);
    expect(started(world.plan())).toEqual([newcomer]);
    world.run();
    world.nowMs += 7 * DAY_MS + 1;
    world.submit({ queue: a, gpus: 4 });
    world.end(newcomer);
    expect(started(world.plan())).toEqual([old]);
  });

  test("who got its place by waiting too long is new there: nobody takes it at once", () => {
    const world = las({ lasAgingMs: 7 * DAY_MS, cheapLossMs: DAY_MS, gangPatienceMs: 90 * DAY_MS });
    const { old, young } = givenWay(world);
    world.nowMs += 7 * DAY_MS + 1;
    world.end(young);
    const newcomer = world.submit({ queue: a, gpus: 4 });
    expect(started(world.plan())).toEqual([old]);
    world.run();
    const { evictions, wakeAtMs } = world.plan();
    expect(evictions).toEqual([]);
    expect(wakeAtMs, "8 GPU h from here on").toBe(world.nowMs + 2 * HOUR_MS);
    world.nowMs += 2 * HOUR_MS - 1;
    world.checkpoint(old, 2);
    world.nowMs += 1;
    expect(world.plan().evictions).toMatchObject([{ victim: old, preemptor: newcomer }]);
  });

  test("a job that has aged is placed once, though it is in its group too", () => {
    const world = las({ lasAgingMs: 7 * DAY_MS }).nodes(2, 4);
    const [first, second] = [veteran(world, 0), veteran(world, 0)];
    for (const node of ["node-1", "node-2"]) {
      world.must({ kind: "node.drain", nodeId: nodeId(node), note: "" });
    }
    world.plan();
    world.end(first, STOPPED).end(second, STOPPED);
    world.plan();
    world.nowMs += 8 * DAY_MS;
    for (const node of ["a", "b", "c", "d"]) world.register(nodeSpec(node, 4));
    expect(started(world.plan())).toEqual([first, second]);
  });
});
