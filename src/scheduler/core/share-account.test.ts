import { describe, expect, test } from "vitest";
import { type JobId, queuePath } from "../../base/ids.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { queueSpec, STOPPED, World } from "./fixture.ts";
import { invariants } from "./invariants.ts";
import { chargedAccount, entitledGpus } from "./share-account.ts";
import { decodeState, encodeState } from "./snapshot.ts";
import type { Policy, Queue } from "./state.ts";

const [a, b] = [queuePath("a"), queuePath("b")];
const DAY = { shareWindowMs: DAY_MS };

describe("an account", () => {
  const queue = (heldGpus: number, accountGpuMs = 0): Queue => ({
    spec: queueSpec("a"),
    allocated: { gpus: heldGpus, cpuMilli: 0, memoryMib: 0 },
    heldByUser: new Map<string, number>(),
    usageGpuMs: 0,
    usageCoreMs: 0,
    usageGibMs: 0,
    usageAtMs: 0,
    noted: { dueMilliGpus: 10_500, atMs: 0 },
    accountGpuMs,
    counts: new World([queueSpec("a")]).state.queues.get(a)?.counts as Queue["counts"],
  });

  test("is what was due less what was had", () => {
    expect(chargedAccount(queue(8), HOUR_MS, DAY)).toBe(2.5 * HOUR_MS);
    expect(chargedAccount(queue(12), HOUR_MS, DAY)).toBe(-1.5 * HOUR_MS);
  });

  test("is bounded to a tenth of what is due in a window, either way", () => {
    const most = 1.05 * DAY_MS;
    expect(chargedAccount(queue(0), DAY_MS, DAY)).toBe(most);
    expect(chargedAccount(queue(64), DAY_MS, DAY)).toBe(-most);
  });

  test("is empty where shares hold at each moment, and while nobody waits for others", () => {
    expect(chargedAccount(queue(0, 7), HOUR_MS, { shareWindowMs: 0 })).toBe(0);
    expect(chargedAccount({ ...queue(0, 7), noted: null }, HOUR_MS, DAY)).toBe(0);
  });

  test("is settled in a sixth of the window", () => {
    expect(entitledGpus(10_500, 0, { shareWindowMs: 0 }), "whole GPUs of the due").toBe(10);
    expect(entitledGpus(10_000, 8 * HOUR_MS, DAY)).toBe(12);
    expect(entitledGpus(10_000, -8 * HOUR_MS, DAY)).toBe(8);
    expect(entitledGpus(1_000, -80 * HOUR_MS, DAY), "never below nothing").toBe(0);
  });
});

describe("with a share window", () => {
  const bounds = { minRunMs: 0, preemptionPatienceMs: 0, lasPreemptionsMax: 100, claimsMax: 0 };

  /** Two queues with a gang of six of the eight GPUs each: each is due four. */
  function timesHeld(policy: Partial<Policy>, days: number): Record<string, number> {
    const options = { ...bounds, lasLossMaxMs: DAY_MS, ...policy };
    const world = new World([queueSpec("a"), queueSpec("b")], options).nodes(1, 8);
    const jobs = new Map<JobId, string>([
      [world.submit({ queue: a, gpus: 6 }), "a"],
      [world.submit({ queue: b, gpus: 6 }), "b"],
    ]);
    const held: Record<string, number> = { a: 0, b: 0 };
    const steps = (days * DAY_MS) / (10 * MINUTE_MS);
    for (let at = 0; at < steps; at += 1) {
      for (const { victim } of world.plan().evictions) world.end(victim, STOPPED);
      world.plan();
      world.run();
      expect(world.plan().evictions, "nobody takes back at once").toEqual([]);
      expect(invariants(world.state)).toEqual([]);
      for (const [id, name] of jobs) {
        if (world.phase(id) === "running") held[name] = (held[name] ?? 0) + 1 / steps;
      }
      world.nowMs += 10 * MINUTE_MS;
    }
    return held;
  }

  test("gangs larger than their queues' shares take turns, and each gets its part of the days", () => {
    const held = timesHeld(DAY, 4);
    expect(held["a"]).toBeGreaterThan(0.4);
    expect(held["b"]).toBeGreaterThan(0.4);
  });

  test("where shares hold at each moment, the first keeps what it has", () => {
    expect(timesHeld({}, 1)["b"]).toBe(0);
  });

  test("what is due is noted now and then, and not at each pass; an old snapshot has no account", () => {
    const world = new World([queueSpec("a"), queueSpec("b")], DAY).nodes(1, 8);
    world.submit({ queue: a, gpus: 8 });
    world.plan();
    world.run();
    world.submit({ queue: b, gpus: 4 });
    const notes = (): number => world.kinds().filter((kind) => kind === "shares.noted").length;
    for (let n = 0; n < 5; n += 1) world.plan();
    expect(notes()).toBe(1);
    world.nowMs += 10 * MINUTE_MS;
    world.plan();
    expect(notes()).toBe(2);
    const rows = [...encodeState(world.state)];
    expect(decodeState(rows).queues).toEqual(world.state.queues);
    const older = rows.map(({ key, value }) => {
      if (!key.startsWith("queue:")) return { key, value };
      const { noted: _noted, accountGpuMs: _account, ...rest } = value as Queue;
      return { key, value: rest };
    });
    expect(decodeState(older).queues.get(a)).toMatchObject({ noted: null, accountGpuMs: 0 });
  });
});
