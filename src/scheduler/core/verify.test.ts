import { expect, test } from "vitest";
import { checkpointId, type JobId, jobId, nodeId, queuePath } from "../../base/ids.ts";
import { jobSpec, queueSpec, World } from "./fixture.ts";
import type { Hold, Holds } from "./hold.ts";
import type { Plan } from "./plan-types.ts";
import { verifyPlan } from "./verify.ts";

/** Nothing was found out about these jobs. */
function holding(...ids: readonly JobId[]): Holds {
  const hold: Hold = { code: "EVALUATING" };
  return {
    size: ids.length,
    of: (id) => (ids.includes(id) ? hold : null),
    isRoomFor: () => true,
    counts: () => new Map(),
    [Symbol.iterator]: () => ids.map((id) => [id, hold] as const).values(),
  };
}

const NOTHING: Plan = {
  starts: [],
  evictions: [],
  reservations: [],
  drops: [],
  holds: holding(),
  wakeAtMs: null,
  findings: null,
};

/** job-1 runs on node-1 in `default`, job-2 waits; two nodes of two GPUs. */
function world(waiting: Parameters<typeof jobSpec>[0] = {}): World {
  const small = new World([queueSpec("default", { limit: 3 })]).nodes(2, 2);
  small.submit({ gpus: 2 });
  small.plan();
  small.run();
  small.submit(waiting);
  return small;
}

const [one, two] = [jobId("job-1"), jobId("job-2")];
const at = (node: number, ...gpus: readonly number[]) => ({ nodeId: nodeId(`node-${node}`), gpus });

/** job-2 starts where it is told to. */
const startOn = (...placement: readonly ReturnType<typeof at>[]): Partial<Plan> => ({
  starts: [{ jobId: two, placement, resumeFrom: null }],
});

const faults = (
  plan: Partial<Plan>,
  waiting: Parameters<typeof jobSpec>[0] = {},
): readonly string[] => {
  const { state, policy } = world(waiting);
  return verifyPlan(state, { ...NOTHING, ...plan }, policy);
};

test("a sound start has no fault", () => {
  expect(faults(startOn(at(2, 0)))).toEqual([]);
});

test.each<readonly [string, Partial<Plan>, Parameters<typeof jobSpec>[0], string]>([
  ["a GPU that is held", startOn(at(1, 0)), {}, "job-2 is given node-1/0, held now"],
  ["half a gang", startOn(at(2, 0)), { nodes: 2 }, "job-2 asks for 2 nodes"],
  ["two tasks on one node", startOn(at(2, 0), at(2, 1)), { nodes: 2 }, "asks for 2 nodes"],
  ["too few GPUs", startOn(at(2)), {}, "job-2 gets GPUs  of node-2"],
  ["a GPU that is not there", startOn(at(2, 7)), {}, "given GPU 7, which is not there"],
  ["a node that is not there", startOn(at(9, 0)), {}, "node-9, which is not schedulable"],
  ["GPUs out of order", startOn(at(2, 1, 0)), { gpus: 2 }, "are not ascending"],
  ["another GPU type", startOn(at(2, 0)), { gpuTypes: ["H100"] }, "asks for H100"],
  ["more than the limit", startOn(at(2, 0, 1)), { gpus: 2 }, "may have 3"],
  [
    "too few CPUs",
    startOn(at(2, 0)),
    { perNode: { gpus: 1, cpuMilli: 65_000, memoryMib: 0 } },
    "overcommits the CPUs of node-2",
  ],
  [
    "another checkpoint",
    { starts: [{ jobId: two, placement: [at(2, 0)], resumeFrom: checkpointId("x") }] },
    {},
    "resumes from x",
  ],
  ["a job that runs", { starts: [{ jobId: one, placement: [], resumeFrom: null }] }, {}, "pending"],
  ["no word to who waits", {}, {}, "1 are pending: 0 start, 0 are told why not"],
  ["a word to who starts", { ...startOn(at(2, 0)), holds: holding(two) }, {}, "is told why not"],
  [
    "an eviction without a reservation",
    { evictions: [{ victim: one, how: "reclaim", preemptor: two, next: [], why: "" }] },
    {},
    "who has no reservation that names it",
  ],
  [
    "a drain where nothing drains",
    { evictions: [{ victim: one, how: "drain", preemptor: null, next: [], why: "" }] },
    {},
    "job-1 has no task on a draining node",
  ],
  [
    "a reservation on what nobody leaves",
    { reservations: [{ jobId: two, placement: [at(1, 0)], victims: [one] }] },
    {},
    "whom job-2 waits for, is not leaving",
  ],
  [
    "a drop of nothing",
    { drops: [{ jobId: two, why: "replanned" }] },
    {},
    "no reservation to drop",
  ],
])("%s is a fault", (_, plan, waiting, fault) => {
  expect(faults(plan, waiting).join("; ")).toContain(fault);
});

test("one GPU for two jobs is a fault", () => {
  const { state, policy } = world();
  const both = [one, two].map((id) => ({ jobId: id, placement: [at(2, 0)], resumeFrom: null }));
  expect(verifyPlan(state, { ...NOTHING, starts: both }, policy).join("; ")).toContain(
    "node-2/0 is promised to job-1 and to job-2",
  );
});

test("nobody starts on what is kept for another", () => {
  const queues = [queueSpec("a"), queueSpec("b", { guarantee: 1 })];
  const kept = new World(queues).nodes(1, 2);
  kept.submit({ queue: queuePath("a"), gpus: 2 });
  kept.plan();
  kept.run();
  const owner = kept.submit({ queue: queuePath("b") });
  kept.plan();
  const thief = kept.submit({ queue: queuePath("a") });
  const placement = kept.state.reservations.get(owner)?.placement ?? [];
  const starts = [{ jobId: thief, placement, resumeFrom: null }];
  const found = verifyPlan(kept.state, { ...NOTHING, starts }, kept.policy).join("; ");
  expect(found).toContain(`is promised to ${owner} and to ${thief}`);
});
