import { expect, test } from "vitest";
import { must } from "../../base/assert.ts";
import { jobId, nodeId, queuePath } from "../../base/ids.ts";
import { World } from "./fixture.ts";
import { invariants } from "./invariants.ts";

/** job-1 runs on both nodes, job-2 waits. */
function world(): World {
  const small = new World().nodes(2, 2);
  small.submit({ nodes: 2, gpus: 2 });
  small.plan();
  small.run();
  small.submit();
  return small;
}

const first = jobId("job-1");

test("a state that the cycle made is sound", () => {
  expect(invariants(world().state)).toEqual([]);
});

test.each<readonly [string, (world: World) => void, string]>([
  [
    "a GPU given twice",
    ({ state }) => {
      const node = must(state.nodes.get(nodeId("node-1")), "node");
      const allocations = [...node.allocations, ...node.allocations];
      state.nodes.set(node.spec.id, { ...node, allocations });
    },
    "a GPU of node-1 is given twice",
  ],
  [
    "a gang that lost a task's allocation",
    ({ state }) => {
      const node = must(state.nodes.get(nodeId("node-2")), "node");
      state.nodes.set(node.spec.id, { ...node, allocations: [] });
    },
    "job-1 rank 1 is held 0 times",
  ],
  [
    "a queue that miscounts",
    ({ state }) => {
      const queue = must(state.queues.get(queuePath("default")), "queue");
      const allocated = { ...queue.allocated, gpus: 3 };
      state.queues.set(queue.spec.path, { ...queue, allocated });
    },
    "default holds 4 GPUs and counts 3",
  ],
  [
    "a queue that miscounts what a user holds",
    ({ state }) => {
      const queue = must(state.queues.get(queuePath("default")), "queue");
      const heldByUser = new Map([...queue.heldByUser].map(([user]) => [user, 3]));
      state.queues.set(queue.spec.path, { ...queue, heldByUser });
    },
    "holds 4 GPUs and counts 3",
  ],
  [
    "a queue that forgets a user",
    ({ state }) => {
      const queue = must(state.queues.get(queuePath("default")), "queue");
      state.queues.set(queue.spec.path, { ...queue, heldByUser: new Map() });
    },
    "holds 4 GPUs and counts none",
  ],
  ["a job that no index has", ({ state }) => state.active.delete(first), "2 jobs, 1 of them"],
  ["a job in the wrong index", ({ state }) => state.ended.add(first), "job-1 is indexed as ended"],
  [
    "a reservation of a job that runs",
    ({ state }) => {
      const reservation = { jobId: first, placement: [], victims: [], madeAtMs: 0 };
      state.reservations.set(first, reservation);
    },
    "job-1 has a reservation and is not to be placed",
  ],
  [
    "attempts that do not count up",
    ({ state }) => {
      state.jobs.set(first, { ...must(state.jobs.get(first), "job"), attemptLast: 7 });
    },
    "job-1 at 1",
  ],
])("%s is found", (_, damage, fault) => {
  const broken = world();
  damage(broken);
  expect(invariants(broken.state).join("; ")).toContain(fault);
});
