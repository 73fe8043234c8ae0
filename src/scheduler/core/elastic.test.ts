import { expect, test } from "vitest";
import type { JobId } from "../../base/ids.ts";
import { nodeSpec, queueSpec, STOPPED, World } from "./fixture.ts";
import { invariants } from "./invariants.ts";
import { activeAttempt } from "./job.ts";

const ELASTIC = { nodesMin: 2, nodes: 4, gpus: 4 };

/** Nodes that the job runs on; 0 while it waits. */
const sizeOf = (world: World, id: JobId): number =>
  activeAttempt(world.job(id).phase)?.placement.length ?? 0;

/** Plans until nothing more follows, with all that starts running at once. */
function settle(world: World): void {
  world.plan();
  world.run();
  expect(invariants(world.state)).toEqual([]);
}

test.each([
  { nodes: 1, size: 0 },
  { nodes: 2, size: 2 },
  { nodes: 3, size: 3 },
  { nodes: 9, size: 4 },
])("on $nodes nodes a job of 2 to 4 starts on $size", ({ nodes, size }) => {
  const world = new World().nodes(nodes, 4);
  const id = world.submit(ELASTIC);
  settle(world);
  expect(sizeOf(world, id)).toBe(size);
});

test("what is beyond the least of one goes to others first", () => {
  const world = new World().nodes(5, 4);
  const first = world.submit(ELASTIC);
  const rigid = world.submit({ nodes: 2, gpus: 4 });
  settle(world);
  expect([sizeOf(world, first), sizeOf(world, rigid)]).toEqual([3, 2]);
});

test("it takes no more than the limit of its queue leaves", () => {
  const world = new World([queueSpec("default", { limit: 13 })]).nodes(4, 4);
  const id = world.submit(ELASTIC);
  settle(world);
  expect(sizeOf(world, id)).toBe(3);
  expect(world.state.queues.get(queueSpec("default").path)?.allocated.gpus).toBe(12);
});

test("it stays in one rack where it must", () => {
  const world = new World();
  for (const [name, rack] of Object.entries({ a: "1", b: "1", c: "1", d: "2", e: "2" })) {
    const labels = { rack };
    world.register({ ...nodeSpec(name, 4), labels });
  }
  const topology = { level: "rack", mode: "required" } as const;
  const id = world.submit({ nodesMin: 1, nodes: 4, gpus: 4, topology });
  settle(world);
  expect(sizeOf(world, id)).toBe(3);
});

test("a checkpoint is whole with one part for each node that the attempt has", () => {
  const world = new World().nodes(3, 4);
  const id = world.submit(ELASTIC);
  settle(world);
  world.checkpoint(id, 10);
  expect(world.job(id).checkpoints).toMatchObject([{ step: 10, state: "committed" }]);
});

/** An elastic job on four nodes that has saved; then an hour passes. */
function onFour(queues = [queueSpec("default")]): { world: World; id: JobId } {
  const world = new World(queues).nodes(4, 4);
  const id = world.submit({ ...ELASTIC, priorityClass: "low" });
  settle(world);
  world.checkpoint(id, 10);
  world.nowMs += 3_600_000;
  return { world, id };
}

/** The job is told to stop, does so, and whatever then follows runs. */
function stop(world: World, id: JobId): void {
  world.end(id, STOPPED);
  settle(world);
}

test("it shrinks by as much as is needed, keeps the rest and goes on there at once", () => {
  const { world, id } = onFour();
  const before = activeAttempt(world.job(id).phase)?.placement ?? [];
  const high = world.submit({ nodes: 1, gpus: 4, priorityClass: "high" });
  const { evictions } = world.plan();
  expect(evictions).toMatchObject([{ victim: id, how: "shrink", preemptor: high }]);
  expect(invariants(world.state)).toEqual([]);
  // Nobody gets what it keeps while it saves.
  world.submit({ nodes: 3, gpus: 4, priorityClass: "high" });
  expect(world.plan().evictions).toEqual([]);
  stop(world, id);
  expect([sizeOf(world, id), sizeOf(world, high)]).toEqual([3, 1]);
  const after = activeAttempt(world.job(id).phase)?.placement ?? [];
  expect(before).toEqual(expect.arrayContaining([...after]));
  expect(world.job(id)).toMatchObject({ preemptions: 0 });
  const { preemptions, thrash } = world.state.totals;
  expect([preemptions.shrink, preemptions.priority, thrash]).toEqual([1, 0, 0]);
});

test("whoever needs more than it can spare takes all of it", () => {
  const { world, id } = onFour();
  const high = world.submit({ nodes: 3, gpus: 4, priorityClass: "high" });
  expect(world.plan().evictions).toMatchObject([{ victim: id, how: "priority" }]);
  stop(world, id);
  expect([sizeOf(world, id), sizeOf(world, high)]).toEqual([0, 3]);
});

test("it shrinks before another of its class is evicted, however cheap that one is", () => {
  const world = new World().nodes(4, 4);
  const id = world.submit({ nodesMin: 1, nodes: 3, gpus: 4, priorityClass: "low" });
  settle(world);
  world.nowMs += 3_600_000;
  const cheap = world.submit({ nodes: 1, gpus: 4, priorityClass: "low" });
  settle(world);
  const high = world.submit({ nodes: 2, gpus: 4, priorityClass: "high" });
  expect(world.plan().evictions).toMatchObject([{ victim: id, how: "shrink", preemptor: high }]);
  stop(world, id);
  expect([id, cheap, high].map((one) => sizeOf(world, one))).toEqual([1, 1, 2]);
});

test("a lower class is evicted before a higher one shrinks", () => {
  const world = new World().nodes(4, 4);
  const id = world.submit({ nodesMin: 1, nodes: 3, gpus: 4 });
  settle(world);
  const low = world.submit({ nodes: 1, gpus: 4, priorityClass: "low" });
  settle(world);
  world.submit({ nodes: 1, gpus: 4, priorityClass: "high" });
  expect(world.plan().evictions).toMatchObject([{ victim: low, how: "priority" }]);
  expect(sizeOf(world, id)).toBe(3);
});

test("a guarantee is taken back from what a borrower can spare", () => {
  const { world, id } = onFour([queueSpec("default"), queueSpec("owner", { guarantee: 8 })]);
  const owner = world.submit({ queue: queueSpec("owner").path, nodes: 2, gpus: 4 });
  expect(world.plan().evictions).toMatchObject([{ victim: id, how: "shrink" }]);
  stop(world, id);
  expect([sizeOf(world, id), sizeOf(world, owner)]).toEqual([2, 2]);
});

test.each(["cancelled", "lost"])("%s while it saves, it keeps nothing", (how) => {
  const { world, id } = onFour();
  world.submit({ nodes: 1, gpus: 4, priorityClass: "high" });
  world.plan();
  expect(world.state.reservations.has(id)).toBe(true);
  const kept = world.state.reservations.get(id)?.placement[0]?.nodeId;
  if (how === "cancelled") world.must({ kind: "job.cancel", jobId: id, why: "" });
  for (const [name, { instance }] of world.state.nodes) {
    if (how !== "lost" || name !== kept) continue;
    world.must({ kind: "node.expire", nodeId: name, instance });
  }
  expect(invariants(world.state)).toEqual([]);
  world.plan();
  expect(world.state.reservations.has(id)).toBe(false);
  expect(invariants(world.state)).toEqual([]);
});
