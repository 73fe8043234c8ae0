import { expect, test } from "vitest";
import type { JobId } from "../../base/ids.ts";
import { nodeSpec, queueSpec, World } from "./fixture.ts";
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
