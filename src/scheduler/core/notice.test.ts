import { expect, test } from "vitest";
import { nodeId } from "../../base/ids.ts";
import { nodeSpec, World } from "./fixture.ts";

const NOTICE = { kind: "node.notice", nodeId: nodeId("node-1"), note: "spot" } as const;

function deadlineMs(world: World, id: ReturnType<World["submit"]>): number | null {
  const { phase } = world.job(id);
  return phase.kind === "stopping" ? phase.deadlineMs - world.nowMs : null;
}

test("nobody gets more grace than is left before the node goes", () => {
  const world = new World().nodes(1, 2);
  const slow = world.submit({ graceMs: 600_000 });
  const quick = world.submit({ graceMs: 5_000 });
  world.plan();
  world.run();
  world.must({ ...NOTICE, inMs: 120_000 });
  world.plan();
  expect([deadlineMs(world, slow), deadlineMs(world, quick)]).toEqual([120_000, 5_000]);
});

test("a gang has to hurry on all its nodes", () => {
  const world = new World().nodes(2, 1);
  const gang = world.submit({ nodes: 2, graceMs: 600_000 });
  world.plan();
  world.run();
  world.must({ ...NOTICE, inMs: 30_000 });
  world.plan();
  expect(deadlineMs(world, gang)).toBe(30_000);
});

test("who is stopping already is told the nearer deadline, and is no second preemption", () => {
  const world = new World().nodes(1, 1);
  const job = world.submit({ graceMs: 600_000 });
  world.plan();
  world.run();
  world.must({ kind: "node.drain", nodeId: NOTICE.nodeId, note: "" });
  world.plan();
  expect(deadlineMs(world, job)).toBe(600_000);
  world.must({ ...NOTICE, inMs: 60_000 });
  expect(deadlineMs(world, job)).toBe(60_000);
  expect(world.state.totals.preemptions.drain).toBe(1);
});

test("the node takes nothing new, until one comes up under its name after it was to go", () => {
  const world = new World().nodes(1, 1);
  world.must({ ...NOTICE, inMs: 60_000 });
  const job = world.submit();
  world.plan();
  world.register(nodeSpec("node-1", 1), "node-1-2");
  expect([world.phase(job), world.plan().starts]).toEqual(["pending", []]);
  world.nowMs += 60_000;
  world.register(nodeSpec("node-1", 1), "node-1-3");
  world.plan();
  expect(world.phase(job)).toBe("placed");
});
