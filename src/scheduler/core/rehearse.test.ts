import { expect, it } from "vitest";
import { jobId, queuePath } from "../../base/ids.ts";
import { ALICE, queueSpec, World } from "./fixture.ts";
import { rehearse } from "./rehearse.ts";
import { encodeState } from "./snapshot.ts";
import type { QueueSpec } from "./state.ts";

const [a, b] = [queuePath("a"), queuePath("b")];
const rows = ({ state }: World): string => JSON.stringify([...encodeState(state)]);

/** Queue a fills the node; a job of 4 GPUs waits in b, and one of 2 in a. */
function full(): World {
  const world = new World([queueSpec("a"), queueSpec("b")], { isShareReclaimed: false });
  world.nodes(1, 8);
  world.submit({ queue: a, gpus: 4 });
  world.submit({ queue: a, gpus: 4 });
  world.plan();
  world.run();
  world.submit({ queue: b, gpus: 4 });
  world.submit({ queue: a, gpus: 2 });
  world.plan();
  return world;
}

function ask(world: World, ...queues: readonly QueueSpec[]) {
  const command = { kind: "queue.apply", queues, prune: false } as const;
  return rehearse(world.state, { command, actor: ALICE }, world.nowMs);
}

it("says who would be preempted, and leaves the state as it is", () => {
  const world = full();
  const before = rows(world);
  expect(ask(world, queueSpec("b", { guarantee: 4 }))).toMatchObject({
    evictions: [{ victim: "job-1", preemptor: "job-3", how: "reclaim" }],
    starts: [],
  });
  expect(rows(world)).toBe(before);
  // What was foretold is what happens.
  const queues = [queueSpec("b", { guarantee: 4 })];
  world.must({ kind: "queue.apply", queues, prune: false });
  expect(world.plan().evictions).toMatchObject([{ victim: "job-1", preemptor: "job-3" }]);
});

it("names those whom limits would keep from ever starting, by queue", () => {
  const world = full();
  const outlook = ask(world, queueSpec("b", { limit: 3 }), queueSpec("a", { limit: 2 }));
  expect(outlook).toMatchObject({ evictions: [], stranded: new Map([[b, ["job-3"]]]) });
});

it("counts only what the change does: who would start or leave anyway is left out", () => {
  const world = full();
  world.end(jobId("job-1"));
  const nothing = { evictions: [], starts: [], stranded: new Map() };
  expect(ask(world, queueSpec("a"))).toEqual(nothing);
});

it("gives the refusal of what would be refused", () => {
  const refusal = { kind: "refusal", code: "QUEUE_INVALID" };
  expect(ask(full(), queueSpec("a", { guarantee: 4, limit: 2 }))).toMatchObject(refusal);
});
