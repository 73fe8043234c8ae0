import { expect, test } from "vitest";
import { explain } from "./explain.ts";
import { MINUTE_MS } from "../../base/time.ts";
import type { JobId } from "../../base/ids.ts";
import { queueSpec, STOPPED, World } from "./fixture.ts";
import { invariants } from "./invariants.ts";
import { activeAttempt } from "./job.ts";
import type { Policy } from "./state.ts";

const sizeOf = (world: World, id: JobId): number =>
  activeAttempt(world.job(id).phase)?.placement.length ?? 0;

/** An elastic job of 2 to 4 that started on two of four nodes; the others are free since. */
function onTwo(policy: Partial<Policy> = {}, limit: number | null = null) {
  const world = new World([queueSpec("default", { limit })], policy).nodes(4, 4);
  const other = world.submit({ nodes: 2, gpus: 4 });
  world.plan();
  const id = world.submit({ nodesMin: 2, nodes: 4, gpus: 4 });
  world.plan();
  world.run();
  world.end(other);
  world.plan();
  world.run();
  return { world, id };
}

function pass(world: World, minutes: number, id: JobId, step: number): World {
  world.nowMs += minutes * MINUTE_MS;
  world.checkpoint(id, step);
  return world;
}

test("it takes idle nodes once it has run for long enough, and goes on from its checkpoint", () => {
  const { world, id } = onTwo();
  pass(world, 9, id, 10);
  const { evictions, wakeAtMs } = world.plan();
  expect(evictions).toEqual([]);
  expect(wakeAtMs).toBe(world.nowMs + MINUTE_MS);
  world.nowMs += MINUTE_MS;
  const grown = world.plan();
  expect(grown.evictions).toMatchObject([{ victim: id, how: "grow", preemptor: null }]);
  expect(invariants(world.state)).toEqual([]);
  world.end(id, STOPPED);
  world.plan();
  world.run();
  expect(sizeOf(world, id)).toBe(4);
  const { phase, preemptions } = world.job(id);
  expect(activeAttempt(phase)?.resumeFrom).toBe(world.job(id).checkpoints[0]?.id);
  expect([preemptions, world.state.totals.preemptions.grow]).toEqual([0, 1]);
  const { state, nowMs } = world;
  const { lines } = explain({ state, nowMs, starts: null, left: null }, id, null);
  expect(lines).toContain("It runs on 4 of 2 to 4 nodes since it grew.");
});

test.each([
  { why: "it never saved", saves: false, policy: {}, limit: null, waits: false },
  { why: "it is not to grow", saves: true, policy: { growAfterMs: 0 }, limit: null, waits: false },
  { why: "its limit forbids it", saves: true, policy: {}, limit: 16, waits: false, reserve: 8 },
  { why: "somebody waits for room", saves: true, policy: {}, limit: null, waits: true },
  {
    why: "the cost is not worth it",
    saves: true,
    policy: { restartCostMs: 11 * MINUTE_MS },
    limit: null,
    waits: false,
  },
])("it stays as it is when $why", ({ saves, policy, limit, waits, reserve }) => {
  const { world, id } = onTwo(policy, limit);
  world.nowMs += 20 * MINUTE_MS;
  if (saves) world.checkpoint(id, 10);
  if (waits) world.submit({ nodes: 3, gpus: 4 });
  if (reserve !== undefined) {
    world.must({
      kind: "queue.apply",
      queues: [queueSpec("default", { limit: reserve })],
      prune: false,
    });
  }
  expect(world.plan().evictions).toEqual([]);
});

test("with work at stake it waits for the checkpoint that is due", () => {
  const { world, id } = onTwo();
  pass(world, 20, id, 10);
  world.must({ kind: "node.cordon", nodeId: [...world.state.nodes.keys()][3] as never, note: "" });
  pass(world, 20, id, 20);
  world.nowMs += 15 * MINUTE_MS;
  const { evictions, wakeAtMs } = world.plan();
  expect(evictions).toEqual([]);
  expect(wakeAtMs).toBe(world.nowMs + 5 * MINUTE_MS + 1);
});

test("where room comes and goes, it grows ever more seldom", () => {
  const { world, id } = onTwo();
  let changes = 0;
  let step = 0;
  for (let minute = 0; minute < 20 * 60; minute += 1) {
    step += 1;
    pass(world, 1, id, step);
    // Somebody with a right to two nodes is there for one minute of every fifteen.
    if (minute % 15 === 0) world.submit({ nodes: 2, gpus: 4, priorityClass: "high" });
    world.plan();
    for (const other of world.state.active.keys()) {
      if (other === id || world.phase(other) !== "running") continue;
      if (minute % 15 === 5) world.end(other);
    }
    if (world.phase(id) === "stopping") {
      changes += 1;
      world.end(id, STOPPED);
    }
    world.plan();
    world.run();
    expect(sizeOf(world, id)).toBeGreaterThanOrEqual(2);
    expect(sizeOf(world, id)).toBeLessThanOrEqual(4);
  }
  expect(changes).toBeGreaterThan(1);
  // 80 came and went; every pair of changes doubles the wait.
  expect(changes).toBeLessThanOrEqual(14);
  expect(world.state.totals.thrash).toBe(0);
});

test("who runs smaller than it might is told from when on it grows, and what is missing for it", () => {
  const world = new World().nodes(2, 4);
  const id = world.submit({ nodesMin: 1, nodes: 4, gpus: 4 });
  world.plan();
  world.run();
  const told = (): string | undefined => {
    const { state, nowMs } = world;
    return explain({ state, nowMs, starts: null, left: null }, id, null).lines.at(-1);
  };
  expect(told()).toBe("It takes no idle nodes before it has saved once.");
  world.checkpoint(id, 1);
  const when = "idle nodes, if nobody waits for them and they are worth a restart.";
  expect(told()).toBe(`From 1970-01-01T00:26:40Z on it takes ${when}`);
  world.nowMs += 10 * MINUTE_MS;
  expect(told()).toBe(`It takes ${when}`);
  world.state.policy = { ...world.policy, growAfterMs: 0 };
  expect(told()).toBe("It does not grow: the policy's grow_after is 0.");
});
