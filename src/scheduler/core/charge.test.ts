import { expect, test } from "vitest";
import { queuePath } from "../../base/ids.ts";
import { DAY_MS } from "../../base/time.ts";
import { queueSpec, World } from "./fixture.ts";
import { plan } from "./plan.ts";
import { QueueTree } from "./queue-tree.ts";
import { decodeState, encodeState } from "./snapshot.ts";

const [a, b] = [queuePath("a"), queuePath("b")];
const heldBy = (world: World, path: typeof a): number =>
  world.state.queues.get(path)?.allocated.gpus ?? 0;

test("a burst that comes between two looks at usage is charged as it is placed", () => {
  const world = new World([queueSpec("a"), queueSpec("b")]).nodes(2, 8);
  for (let n = 0; n < 64; n += 1) world.submit({ queue: a });
  for (let n = 0; n < 8; n += 1) world.submit({ queue: b });
  world.plan();
  // No time has passed and nothing was used yet: still the larger burst gets no more than its half.
  expect([heldBy(world, a), heldBy(world, b)]).toEqual([8, 8]);
});

test("each tree may have its own half-life, 0 too; the others go by the policy's", () => {
  const queues = [
    queueSpec("a", { usageHalfLifeMs: 0 }),
    queueSpec("b", { usageHalfLifeMs: DAY_MS }),
    queueSpec("b/x"),
    queueSpec("c"),
  ];
  const world = new World(queues).nodes(4, 8);
  for (const queue of [a, queuePath("b/x"), queuePath("c")]) world.submit({ queue, gpus: 8 });
  world.plan();
  world.run();
  world.nowMs += DAY_MS;
  const tree = new QueueTree(world.state, world.nowMs);
  const used = (path: string): number => tree.queue(queuePath(path)).usageGpuMs;
  expect(used("a")).toBe(0);
  expect(used("b")).toBe(used("b/x"));
  expect(used("b")).toBeLessThan(used("c"));
  expect(used("c")).toBeLessThan(8 * DAY_MS);
});

/** Which queue goes first, after `a` ran one GPU for a day with so many cores and `b` four with none. */
function firstAfter(cpuMilli: number, memoryMib = 0): string {
  const world = new World([queueSpec("a"), queueSpec("b")]).nodes(2, 8);
  const jobs = [
    world.submit({ queue: a, perNode: { gpus: 1, cpuMilli, memoryMib } }),
    world.submit({ queue: b, gpus: 4 }),
  ];
  world.plan();
  world.run();
  world.nowMs += DAY_MS;
  for (const id of jobs) world.end(id);
  for (const queue of [b, a]) world.submit({ queue, gpus: 8, nodes: 2 });
  const again = decodeState(encodeState(world.state));
  const [start] = plan(again, world.nowMs, world.policy).starts;
  return start === undefined ? "nobody" : world.job(start.jobId).spec.queue;
}

test("the past counts by what was the largest part of the cluster, also after a restart", () => {
  expect(firstAfter(0), "a 16th of the GPUs against a quarter").toBe("a");
  expect(firstAfter(16_000), "an eighth of the cores").toBe("a");
  expect(firstAfter(56_000), "seven sixteenths").toBe("b");
  expect(firstAfter(0, 200_000), "two fifths of the memory").toBe("b");
});

test("a snapshot of before CPUs and memory were counted has none of their past", () => {
  const world = new World([queueSpec("a")]).nodes(1, 8);
  const rows = [...encodeState(world.state)].map(({ key, value }) => {
    const { usageCoreMs: _, usageGibMs: __, ...older } = value as Record<string, unknown>;
    return { key, value: older };
  });
  expect(decodeState(rows).queues.get(a)).toMatchObject({ usageCoreMs: 0, usageGibMs: 0 });
});
