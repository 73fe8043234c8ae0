import { describe, expect, test } from "vitest";
import { type JobId, nodeId, queuePath } from "../../base/ids.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { nodeSpec, queueSpec, STOPPED, World } from "./fixture.ts";
import type { Plan } from "./plan-types.ts";
import type { QueueSpec } from "./state.ts";

const [a, b] = [queuePath("a"), queuePath("b")];

const started = (plan: Plan): readonly JobId[] => plan.starts.map(({ jobId }) => jobId);
const victims = (plan: Plan): readonly JobId[] => plan.evictions.map(({ victim }) => victim);

/** Queues `a` and `b`. */
const two = (
  ofA: Partial<Omit<QueueSpec, "path">>,
  ofB: Partial<Omit<QueueSpec, "path">> = {},
): World => new World([queueSpec("a", ofA), queueSpec("b", ofB)]);

describe("between queues", () => {
  test("a job inside its queue's guarantee goes before all that borrow", () => {
    const world = two({ weight: 9 }, { guarantee: 2 }).nodes(1, 4);
    const borrowed = [world.submit({ queue: a, gpus: 2 }), world.submit({ queue: a, gpus: 2 })];
    const owed = world.submit({ queue: b, gpus: 2 });
    expect(started(world.plan())).toEqual([owed, borrowed[0]]);
  });

  test("what is left over is shared by weight", () => {
    const world = two({ weight: 3 }, { weight: 1 }).nodes(1, 8);
    for (let n = 0; n < 8; n += 1) for (const queue of [a, b]) world.submit({ queue });
    world.plan();
    const held = [a, b].map((path) => world.state.queues.get(path)?.allocated.gpus);
    expect(held).toEqual([6, 2]);
  });

  test("weight 0 comes after all others, and is no division by zero", () => {
    const world = two({ weight: 0 }, { weight: 1 }).nodes(1, 2);
    world.submit({ queue: a });
    const others = [world.submit({ queue: b }), world.submit({ queue: b })];
    expect(started(world.plan())).toEqual(others);
  });

  test("a job inside the guarantee does not wait behind one of its queue that would borrow", () => {
    const world = two({ weight: 1 }, { guarantee: 1, weight: 0 }).nodes(1, 4);
    world.submit({ queue: b, gpus: 4 });
    const owed = world.submit({ queue: b });
    const borrowing = [1, 2, 3, 4].map(() => world.submit({ queue: a }));
    expect(started(world.plan())).toEqual([owed, ...borrowing.slice(0, 3)]);
    expect(world.plan().evictions).toEqual([]);
  });

  test("queues of weight 0 share evenly what is left for them", () => {
    const queues = [queueSpec("a", { weight: 0 }), queueSpec("b", { weight: 0 }), queueSpec("c")];
    const world = new World(queues).nodes(1, 4);
    for (let n = 0; n < 4; n += 1) for (const queue of [a, b]) world.submit({ queue });
    world.plan();
    const held = [a, b].map((path) => world.state.queues.get(path)?.allocated.gpus);
    expect(held).toEqual([2, 2]);
  });

  test("who used more before has to wait, at the same weight", () => {
    const world = two({}).nodes(1, 1);
    const first = world.submit({ queue: a });
    world.plan();
    world.nowMs += HOUR_MS;
    world.run().end(first);
    world.submit({ queue: a });
    const fresh = world.submit({ queue: b });
    expect(started(world.plan())).toEqual([fresh]);
  });

  test("a child never takes from its parent's sibling what its parent is not due", () => {
    const queues = [queueSpec("a"), queueSpec("b"), queueSpec("a/x"), queueSpec("a/y")];
    const world = new World(queues).nodes(1, 4);
    for (const path of ["a/x", "a/y", "b", "b"]) {
      world.submit({ queue: queuePath(path), gpus: 1 });
      world.submit({ queue: queuePath(path), gpus: 1 });
    }
    world.plan();
    const held = ["a", "a/x", "a/y", "b"].map((path) => {
      return world.state.queues.get(queuePath(path))?.allocated.gpus;
    });
    expect(held).toEqual([2, 1, 1, 2]);
  });

  test("a limit binds at every level, and says so", () => {
    const queues = [queueSpec("a", { limit: 3 }), queueSpec("a/x", { limit: 2 }), queueSpec("a/y")];
    const world = new World(queues).nodes(1, 8);
    const [x, y] = [queuePath("a/x"), queuePath("a/y")];
    world.submit({ queue: x, gpus: 2 });
    world.submit({ queue: y });
    const ofX = world.submit({ queue: x });
    const ofY = world.submit({ queue: y });
    const tooLarge = world.submit({ queue: x, gpus: 3 });
    const { holds } = world.plan();
    expect(holds.of(ofX)).toMatchObject({ code: "WAITING_FOR_QUOTA", queue: x, allocated: 2 });
    expect(holds.of(ofY)).toMatchObject({ code: "WAITING_FOR_QUOTA", queue: a, allocated: 3 });
    expect(holds.of(tooLarge)).toMatchObject({ code: "EXCEEDS_QUEUE_LIMIT", limit: 2 });
  });
});

describe("inside a queue", () => {
  const queue = queuePath("default");

  test("a higher class goes first, then who came first", () => {
    const world = new World().nodes(1, 3);
    const low = world.submit({ priorityClass: "low" });
    const [first, second] = [world.submit(), world.submit()];
    const high = world.submit({ priorityClass: "high" });
    expect(started(world.plan())).toEqual([high, first, second]);
    expect(world.phase(low)).toBe("pending");
  });

  test("a job that does not fit does not block those behind it", () => {
    const world = new World().nodes(1, 2);
    const large = world.submit({ gpus: 4 });
    const fragmented = world.submit({ nodes: 2 });
    const small = world.submit();
    const { starts, holds } = world.plan();
    expect(starts).toMatchObject([{ jobId: small }]);
    expect(holds.of(large)).toMatchObject({ code: "EXCEEDS_CLUSTER", nodesFit: 0 });
    expect(holds.of(fragmented)).toMatchObject({ code: "EXCEEDS_CLUSTER", nodesFit: 1 });
  });

  test("without backfill a job that does not fit holds back all behind it in its queue", () => {
    const queues = [queueSpec("a"), queueSpec("b")];
    const world = new World(queues, { isBackfillEnabled: false }).nodes(1, 4);
    world.submit({ queue: queuePath("a"), gpus: 3 });
    world.plan();
    const large = world.submit({ queue: queuePath("a"), gpus: 2 });
    const small = world.submit({ queue: queuePath("a"), gpus: 1 });
    const other = world.submit({ queue: queuePath("b"), gpus: 1 });
    const { starts, holds } = world.plan();
    expect(starts.map(({ jobId }) => jobId)).toEqual([other]);
    expect(holds.of(small)).toMatchObject({ code: "WAITING_FOR_GPUS", ahead: [large] });
  });

  test("a `las` queue serves those first that have consumed little", () => {
    const world = new World([queueSpec("default", { order: "las" })]).nodes(1, 1);
    const old = world.submit();
    world.plan();
    world.nowMs += 2 * HOUR_MS;
    world.run();
    world.must({ kind: "node.drain", nodeId: nodeId("node-1"), note: "" });
    world.plan();
    world.end(old, STOPPED);
    const young = world.submit({ queue });
    world.must({ kind: "node.uncordon", nodeId: nodeId("node-1") });
    expect(started(world.plan())).toEqual([young]);
  });
});

describe("waiting", () => {
  test("every job that waits is told why, with numbers", () => {
    const world = new World().nodes(2, 4);
    world.submit({ nodes: 2, gpus: 2 });
    const fragmented = world.submit({ gpus: 4 });
    const behind = world.submit({ nodes: 2, gpus: 4 });
    const noType = world.submit({ gpuTypes: ["H100"] });
    const { holds } = world.plan();
    expect(holds.of(fragmented)).toEqual({
      code: "FRAGMENTED",
      gpuTypes: [],
      nodesAsked: 1,
      gpusPerNode: 4,
      cpuMilliPerNode: 0,
      memoryMibPerNode: 0,
      free: 4,
      nodesFit: 0,
    });
    expect(holds.of(behind)).toMatchObject({
      code: "WAITING_FOR_GPUS",
      gpuTypes: [],
      asked: 8,
      free: 4,
      ahead: [fragmented],
      aheadCount: 1,
    });
    expect(holds.of(noType)).toMatchObject({
      code: "NO_MATCHING_GPU",
      typesPresent: ["virtual"],
    });
  });

  test("a gang that waited past its patience keeps nodes from smaller jobs behind it", () => {
    const world = new World().nodes(2, 2);
    const running = world.submit({ gpus: 1 });
    world.plan();
    const gang = world.submit({ nodes: 2, gpus: 2 });
    const plan = world.plan();
    expect(plan.wakeAtMs).toBe(world.nowMs + world.policy.gangPatienceMs);
    world.nowMs += world.policy.gangPatienceMs;
    const small = world.submit();
    expect(world.plan().holds.of(small)).toMatchObject({
      code: "RESERVED_FOR_OTHER",
      holder: gang,
    });
    world.run().end(running);
    expect(started(world.plan())).toEqual([gang]);
  });
});

describe("preemption", () => {
  /** Queue `a` has borrowed everything; `b` is guaranteed half. */
  const borrowed = (nodes: number, gpus: number): World =>
    two({}, { guarantee: (nodes * gpus) / 2 }).nodes(nodes, gpus);

  test("takes those with the least work since their last checkpoint", () => {
    const world = borrowed(4, 1);
    const jobs = [1, 2, 3, 4].map(() => world.submit({ queue: a }));
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    for (const [at, id] of jobs.entries()) {
      world.nowMs += at * MINUTE_MS;
      world.checkpoint(id, at);
    }
    world.submit({ queue: b, nodes: 2 });
    expect(victims(world.plan()).toSorted()).toEqual([jobs[2], jobs[3]]);
  });

  test("of two on one node takes the one with less to lose", () => {
    const world = two({}, { guarantee: 1 }).nodes(1, 2);
    const jobs = [world.submit({ queue: a }), world.submit({ queue: a })];
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    for (const [at, id] of jobs.entries()) {
      world.checkpoint(id, at);
      world.nowMs += MINUTE_MS;
    }
    world.submit({ queue: b });
    expect(victims(world.plan())).toEqual([jobs[1]]);
  });

  test("gives what is reserved to nobody else while the victims leave", () => {
    const world = borrowed(2, 1);
    const jobs = [world.submit({ queue: a }), world.submit({ queue: a })];
    world.plan();
    world.run();
    const owner = world.submit({ queue: b });
    expect(victims(world.plan())).toHaveLength(1);
    world.submit({ queue: a });
    const victim = jobs.find((id) => world.phase(id) === "stopping");
    world.end(victim ?? owner, STOPPED);
    expect(started(world.plan())).toEqual([owner]);
  });

  test("evicts nobody when the preemptor would not fit even then", () => {
    const guaranteed = [queueSpec("a", { guarantee: 1 }), queueSpec("b", { guarantee: 4 })];
    const world = new World([...guaranteed, queueSpec("c")]).nodes(1, 4);
    world.submit({ queue: a });
    world.submit({ queue: queuePath("c"), gpus: 3 });
    world.plan();
    world.run();
    world.submit({ queue: b, gpus: 4 });
    const { evictions, reservations } = world.plan();
    expect([evictions, reservations]).toEqual([[], []]);
  });

  test("waits for those who leave already instead of asking others", () => {
    const world = borrowed(2, 1);
    const jobs = [world.submit({ queue: a }), world.submit({ queue: a })];
    world.plan();
    world.run();
    world.must({ kind: "job.cancel", jobId: jobs[0] ?? ("" as never), why: "" });
    const owner = world.submit({ queue: b });
    const { evictions, reservations, holds } = world.plan();
    expect(evictions).toEqual([]);
    expect(reservations).toMatchObject([{ jobId: owner, victims: [jobs[0]] }]);
    expect(holds.of(owner)).toMatchObject({ code: "WAITING_FOR_PREEMPTED", victims: [jobs[0]] });
  });

  test("leaves an attempt alone that is younger than the minimum run time, and wakes for it", () => {
    const world = new World([queueSpec("a"), queueSpec("b", { guarantee: 1 })], {
      minRunMs: MINUTE_MS,
    }).nodes(1, 1);
    world.submit({ queue: a });
    world.plan();
    world.run();
    world.submit({ queue: b });
    const plan = world.plan();
    expect(plan.evictions).toEqual([]);
    expect(plan.wakeAtMs).toBe(world.nowMs + MINUTE_MS);
    world.nowMs += MINUTE_MS;
    expect(world.plan().evictions).toHaveLength(1);
  });

  test("protects an attempt for longer the more often its job was preempted, up to ten times", () => {
    const preempted = (times: number): number => {
      const policy = { minRunMs: MINUTE_MS, lasPreemptionsMax: 3 };
      const queues = [queueSpec("a"), queueSpec("b", { guarantee: 1 })];
      const world = new World(queues, policy).nodes(1, 1);
      const id = world.submit({ queue: a });
      world.plan();
      for (let round = 0; round < times; round += 1) {
        world.run();
        world.nowMs += 10 * MINUTE_MS;
        const owner = world.submit({ queue: b });
        world.plan();
        world.end(id, STOPPED);
        world.plan();
        world.run();
        world.end(owner);
        world.plan();
      }
      world.run();
      world.submit({ queue: b });
      expect(world.job(id).preemptions).toBe(times);
      let minutes = 0;
      for (; world.plan().evictions.length === 0; minutes += 1) world.nowMs += MINUTE_MS;
      return minutes;
    };
    expect([0, 1, 2, 3, 4].map(preempted)).toEqual([1, 4, 7, 10, 10]);
  });

  test("inside a queue takes only from lower classes, and never goes back", () => {
    const world = new World().nodes(1, 1);
    const low = world.submit({ priorityClass: "low" });
    world.plan();
    world.run();
    const normal = world.submit();
    expect(world.plan().evictions).toMatchObject([
      { victim: low, how: "priority", preemptor: normal },
    ]);
    world.end(low, STOPPED);
    expect(started(world.plan())).toEqual([normal]);
    expect(world.plan().evictions).toEqual([]);
  });

  test("takes from nobody who is within a guarantee", () => {
    const world = two({ guarantee: 2 }, { guarantee: 2 }).nodes(1, 2);
    world.submit({ queue: a, gpus: 2 });
    world.plan();
    world.run();
    world.submit({ queue: b });
    expect(world.plan().evictions).toEqual([]);
  });

  test("prefers one dear job of a lower class to a cheap one of a higher", () => {
    const world = two({}, { guarantee: 1 }).nodes(2, 1);
    const low = world.submit({ queue: a, priorityClass: "low" });
    world.plan();
    world.run();
    world.nowMs += HOUR_MS;
    world.submit({ queue: a, priorityClass: "normal" });
    world.plan();
    world.submit({ queue: b });
    expect(victims(world.plan())).toEqual([low]);
  });

  test("a better right takes a reservation over before its holder runs", () => {
    const world = new World().nodes(1, 1);
    const low = world.submit({ priorityClass: "low" });
    world.plan();
    world.run();
    const normal = world.submit();
    world.plan();
    const high = world.submit({ priorityClass: "high" });
    expect(world.plan().drops).toEqual([{ jobId: normal, why: "outranked" }]);
    world.end(low, STOPPED);
    expect(started(world.plan())).toEqual([high]);
    expect(world.state.totals).toMatchObject({ thrash: 0, preemptions: { priority: 1 } });
  });
});

describe("nodes", () => {
  test("a drain asks every job on the node to leave, and nothing comes in", () => {
    const world = new World().nodes(2, 1);
    const gang = world.submit({ nodes: 2 });
    world.plan();
    world.must({ kind: "node.drain", nodeId: nodeId("node-2"), note: "new fan" });
    const plan = world.plan();
    expect(plan.evictions).toEqual([
      {
        victim: gang,
        how: "drain",
        next: [],
        preemptor: null,
        why: "Node node-2 is being drained: new fan.",
      },
    ]);
    expect(world.plan().evictions).toEqual([]);
  });

  test("a reservation whose node is gone is dropped, and its job looked at again", () => {
    const world = two({}, { guarantee: 1 }).nodes(1, 1);
    world.submit({ queue: a });
    world.plan();
    world.run();
    const owner = world.submit({ queue: b });
    world.plan();
    world.must({ kind: "node.cordon", nodeId: nodeId("node-1"), note: "" });
    world.register(nodeSpec("node-2", 1));
    const plan = world.plan();
    expect(plan.drops).toEqual([{ jobId: owner, why: "node_gone" }]);
    expect(started(plan)).toEqual([owner]);
  });

  test("a pass wakes for the time limit of what runs and for the end of a backoff", () => {
    const world = new World().nodes(1, 1);
    world.submit({ timeLimitMs: HOUR_MS });
    world.plan();
    world.run();
    expect(world.plan().wakeAtMs).toBe(world.nowMs + HOUR_MS);
  });
});
