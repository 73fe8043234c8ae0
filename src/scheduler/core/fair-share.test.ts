import { expect, test } from "vitest";
import { queuePath } from "../../base/ids.ts";
import { fairShares } from "./fair-share.ts";
import { queueSpec, World } from "./fixture.ts";

/** Jobs of one GPU, so many in each queue, on 32 GPUs. */
function shares(queues: Parameters<typeof queueSpec>[], asked: Readonly<Record<string, number>>) {
  const world = new World(queues.map((queue) => queueSpec(...queue))).nodes(4, 8);
  for (const [queue, jobs] of Object.entries(asked)) {
    for (let at = 0; at < jobs; at += 1) world.submit({ queue: queuePath(queue) });
  }
  const due = [...fairShares(world.state, world.nowMs)];
  return Object.fromEntries(due.map(([path, share]) => [path, share.dueMilliGpus / 1_000]));
}

test("what nobody is guaranteed is shared by weight among those who ask", () => {
  const found = shares([["a", { weight: 3 }], ["b", { weight: 1 }], ["c"]], { a: 40, b: 40 });
  expect(found).toEqual({ a: 24, b: 8, c: 0 });
});

test("what a queue does not ask for goes to the others", () => {
  expect(shares([["a"], ["b"]], { a: 4, b: 40 })).toEqual({ a: 4, b: 28 });
});

test("a guarantee comes first, and a weight of 0 gets no more than that", () => {
  const found = shares([["a", { guarantee: 16, weight: 0 }], ["b"]], { a: 40, b: 40 });
  expect(found).toEqual({ a: 16, b: 16 });
});

test("no queue has more than its limit", () => {
  expect(shares([["a", { limit: 6 }], ["b"]], { a: 40, b: 40 })).toEqual({ a: 6, b: 26 });
});

test("children share what their parent has", () => {
  const found = shares([["a"], ["a/x", { weight: 3 }], ["a/y"], ["b"]], {
    "a/x": 40,
    "a/y": 40,
    b: 40,
  });
  expect(found).toEqual({ a: 16, "a/x": 12, "a/y": 4, b: 16 });
});

test("it makes no difference whether jobs run or wait", () => {
  const world = new World([queueSpec("a"), queueSpec("b")]).nodes(4, 8);
  for (let at = 0; at < 40; at += 1) world.submit({ queue: queuePath("a") });
  const due = () => fairShares(world.state, world.nowMs).get(queuePath("a"))?.dueMilliGpus;
  const before = due();
  world.plan();
  expect(due()).toBe(before);
});
