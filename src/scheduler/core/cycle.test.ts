import { describe, expect, test } from "vitest";
import { agentInstanceId, digest, nodeId, queuePath, requestId } from "../../base/ids.ts";
import { apply, createState } from "./apply.ts";
import { CRASHED, EXITED_WELL, jobSpec, nodeSpec, queueSpec, STOPPED, World } from "./fixture.ts";
import { resumePoint } from "./job.ts";
import { decodeState, encodeState } from "./snapshot.ts";

const rows = (state: Parameters<typeof encodeState>[0]): string =>
  JSON.stringify([...encodeState(state)]);

describe("a job's life", () => {
  test("goes from submitted over placed and running to succeeded", () => {
    const world = new World().nodes(1, 2);
    const job = world.submit({ gpus: 2 });
    world.plan();
    expect(world.phase(job)).toBe("placed");
    expect(world.run().phase(job)).toBe("running");
    expect(world.end(job).phase(job)).toBe("succeeded");
    expect(world.state.nodes.get(nodeId("node-1"))?.allocations).toEqual([]);
  });

  test("one bad end stops the whole gang and counts as one failure", () => {
    const world = new World().nodes(2, 1);
    const job = world.submit({ nodes: 2 });
    world.plan();
    world.run();
    world.report("node-1", (task) => ({ ...task, state: { kind: "ended", exit: CRASHED } }));
    expect(world.job(job).phase).toMatchObject({
      kind: "stopping",
      cause: { kind: "task_failed", exit: CRASHED },
    });
    world.report("node-2", (task) => ({ ...task, state: { kind: "ended", exit: STOPPED } }));
    expect(world.job(job).phase).toMatchObject({ kind: "failed", exit: CRASHED });
    expect(world.job(job).failures).toBe(1);
  });

  test("a failure inside the restart budget waits for its backoff, which doubles", () => {
    const world = new World().nodes(1, 1);
    const job = world.submit({ restartsMax: 2 });
    const waits = [10_000, 20_000].map((waitMs) => {
      world.plan();
      world.run().end(job, CRASHED);
      expect(world.job(job).phase).toMatchObject({
        kind: "pending",
        notBeforeMs: world.nowMs + waitMs,
      });
      expect(world.plan().starts).toEqual([]);
      world.nowMs += waitMs;
      return waitMs;
    });
    expect(waits).toHaveLength(2);
    world.plan();
    world.run().end(job, CRASHED);
    expect(world.phase(job)).toBe("failed");
  });

  test("a lost node gives the job back to the queue without counting a failure", () => {
    const world = new World().nodes(3, 1);
    const job = world.submit({ nodes: 2 });
    world.plan();
    world.run();
    const [gone, other] = world.job(job).phase.kind === "running" ? ["node-1", "node-2"] : [];
    const instance = agentInstanceId(`${gone}-1`);
    world.must({ kind: "node.expire", nodeId: nodeId(gone ?? ""), instance });
    expect(world.job(job).phase).toMatchObject({ kind: "stopping", cause: { kind: "node_lost" } });
    world.report(other ?? "", (task) => ({ ...task, state: { kind: "ended", exit: STOPPED } }));
    expect(world.job(job)).toMatchObject({
      failures: 0,
      nodeLosses: 1,
      phase: { kind: "pending" },
    });
    world.plan();
    expect(world.job(job).attemptLast).toBe(2);
  });

  test("a time limit asks the attempt to stop and fails the job", () => {
    const world = new World().nodes(1, 1);
    const job = world.submit({ timeLimitMs: 60_000 });
    world.plan();
    world.run();
    world.nowMs += 59_999;
    world.must({ kind: "clock.tick" });
    expect(world.phase(job)).toBe("running");
    world.nowMs += 1;
    world.must({ kind: "clock.tick" });
    expect(world.phase(job)).toBe("stopping");
    world.end(job, STOPPED);
    expect(world.job(job).phase).toMatchObject({ kind: "failed", reason: "time_limit" });
  });

  test("cancelling a pending job ends it at once, a running one after its tasks", () => {
    const world = new World().nodes(1, 1);
    const [running, pending] = [world.submit(), world.submit()];
    world.plan();
    world.run();
    world.must({ kind: "job.cancel", jobId: pending, why: "" });
    world.must({ kind: "job.cancel", jobId: running, why: "typo" });
    expect([world.phase(pending), world.phase(running)]).toEqual(["cancelled", "stopping"]);
    expect(world.end(running, STOPPED).phase(running)).toBe("cancelled");
    expect(world.send({ kind: "job.cancel", jobId: running, why: "" })).toMatchObject({
      code: "JOB_ENDED",
    });
  });
});

describe("preemption", () => {
  const team = (): World =>
    new World([queueSpec("research"), queueSpec("prod", { guarantee: 2 })]).nodes(2, 1);

  test("the victim saves, leaves, and resumes elsewhere from what it saved", () => {
    const world = team();
    const victim = world.submit({ queue: queuePath("research"), nodes: 2 });
    world.plan();
    world.run().checkpoint(victim, 10);
    const urgent = world.submit({ queue: queuePath("prod"), nodes: 2 });
    expect(world.plan().evictions).toMatchObject([{ victim, how: "reclaim", preemptor: urgent }]);
    world.checkpoint(victim, 14).end(victim, STOPPED);
    expect(world.job(victim)).toMatchObject({ phase: { kind: "pending" }, preemptions: 1 });
    world.plan();
    expect(world.phase(urgent)).toBe("placed");
    world.run().end(urgent);
    world.plan();
    expect(world.job(victim).phase).toMatchObject({
      kind: "placed",
      attempt: { number: 2, resumeFrom: resumePoint(world.job(victim))?.id },
    });
    expect(world.state.totals.thrash).toBe(0);
  });

  test("tasks that all came to their own good end before the order arrived have succeeded", () => {
    const world = team();
    const victim = world.submit({ queue: queuePath("research"), nodes: 2 });
    world.plan();
    world.run();
    world.submit({ queue: queuePath("prod"), nodes: 2 });
    world.plan();
    expect(world.end(victim, EXITED_WELL).phase(victim)).toBe("succeeded");
  });

  test("a victim whose last checkpoint is stored but not committed waits for the commit", () => {
    const world = team();
    const victim = world.submit({ queue: queuePath("research") });
    world.plan();
    world.run();
    const sizes = { sizeBytes: 1, uploadedBytes: 1 };
    const part = { step: 5, takenAtMs: world.nowMs, digest: digest("d"), ...sizes };
    world.must({ kind: "node.drain", nodeId: nodeId("node-1"), note: "" });
    world.plan();
    world.report("node-1", (task) => ({
      ...task,
      parts: [part],
      state: { kind: "ended", exit: STOPPED },
    }));
    expect(world.plan().starts).toEqual([]);
    const [checkpoint] = world.job(victim).checkpoints;
    const checkpointId = checkpoint?.id ?? ("" as never);
    world.must({
      kind: "checkpoint.commit",
      jobId: victim,
      checkpointId,
      manifestDigest: digest("m"),
    });
    expect(world.plan().starts).toMatchObject([{ jobId: victim, resumeFrom: checkpointId }]);
  });
});

describe("checkpoints", () => {
  test("a task that ended without writing adds an empty part, so a DDP checkpoint is whole", () => {
    const world = new World().nodes(2, 1);
    const job = world.submit({ nodes: 2 });
    world.plan();
    world.run();
    const part = { step: 3, takenAtMs: 1, digest: digest("d"), sizeBytes: 1, uploadedBytes: 1 };
    world.report("node-1", (task) => ({ ...task, parts: [part] }));
    expect(world.job(job).checkpoints[0]?.parts).toHaveLength(1);
    world.end(job);
    expect(world.job(job).checkpoints[0]?.parts).toMatchObject([
      { rank: 0, digest: "d" },
      { rank: 1, digest: null },
    ]);
  });

  test("an older attempt commits nothing", () => {
    const world = new World().nodes(2, 1);
    const job = world.submit();
    world.plan();
    world.run();
    const part = { step: 3, takenAtMs: 1, digest: digest("d"), sizeBytes: 1, uploadedBytes: 1 };
    world.report("node-1", (task) => ({ ...task, parts: [part] }));
    world.must({
      kind: "node.expire",
      nodeId: nodeId("node-1"),
      instance: agentInstanceId("node-1-1"),
    });
    world.plan();
    const checkpointId = world.job(job).checkpoints[0]?.id ?? ("" as never);
    const manifestDigest = digest("m");
    expect(
      world.send({ kind: "checkpoint.commit", jobId: job, checkpointId, manifestDigest }),
    ).toMatchObject({ code: "STALE_ATTEMPT" });
  });

  test("a checkpoint that can't be restored is given up and the one before it is tried", () => {
    const world = new World().nodes(1, 1);
    const job = world.submit();
    world.plan();
    world.run().checkpoint(job, 10).checkpoint(job, 20);
    world.must({ kind: "node.drain", nodeId: nodeId("node-1"), note: "" });
    world.plan();
    world.end(job, STOPPED);
    world.must({ kind: "node.uncordon", nodeId: nodeId("node-1") });
    world.plan();
    world.end(job, { reason: "restore_failed", code: -1, message: "sha256 of model.pt differs" });
    expect(world.job(job).failures).toBe(0);
    expect(resumePoint(world.job(job))?.step).toBe(10);
    world.plan();
    expect(world.job(job).phase).toMatchObject({ kind: "placed", attempt: { number: 3 } });
  });
});

describe("agents", () => {
  test("a task missing from a report is lost, unless the report is older than its placement", () => {
    const world = new World().nodes(1, 1);
    const job = world.submit();
    const before = world.state.seq;
    world.plan();
    world.report("node-1", () => null, before);
    expect(world.phase(job)).toBe("placed");
    world.report("node-1", () => null);
    expect(world.job(job)).toMatchObject({ phase: { kind: "pending" }, nodeLosses: 1 });
  });

  test("a restarted agent that still has its task goes on; one that lost it gives the job back", () => {
    const world = new World().nodes(1, 1);
    const job = world.submit();
    world.plan();
    world.run();
    const task = {
      jobId: job,
      attempt: 1,
      rank: 0,
      state: { kind: "running" },
      rendezvous: null,
      parts: [],
    } as const;
    world.register(nodeSpec("node-1", 1), "node-1-2", [task]);
    expect(world.phase(job)).toBe("running");
    world.register(nodeSpec("node-1", 1), "node-1-3");
    expect(world.phase(job)).toBe("pending");
  });

  test("a report of another agent process is refused", () => {
    const world = new World().nodes(1, 1);
    const instance = agentInstanceId("somebody");
    const report = { nodeId: nodeId("node-1"), instance, generation: 9, tasks: [], conditions: [] };
    expect(world.send({ kind: "node.report", report })).toMatchObject({ code: "STALE_ATTEMPT" });
  });
});

describe("requests", () => {
  test("the same id and content gives the same job; other content is refused", () => {
    const world = new World();
    const first = world.submitAs("r1", { gpus: 1 });
    expect(world.submitAs("r1", { gpus: 1 })).toEqual({ ...first, isRepeat: true });
    expect(world.submitAs("r1", { gpus: 2 })).toMatchObject({ code: "REQUEST_ID_REUSED" });
    expect(world.state.jobs.size).toBe(1);
  });

  test("a late repeat of a request that changed nothing does not undo what came after it", () => {
    const world = new World().nodes(1, 1);
    const request = { id: requestId("r"), fingerprint: "f" };
    const open = { kind: "node.uncordon", nodeId: nodeId("node-1") } as const;
    world.send(open, request);
    world.must({ kind: "node.cordon", nodeId: nodeId("node-1"), note: "" });
    expect(world.send(open, request)).toMatchObject({ kind: "accepted", isRepeat: true });
    expect(world.state.nodes.get(nodeId("node-1"))?.schedulability).toBe("cordoned");
  });

  test("a refused request is not remembered", () => {
    const world = new World();
    const request = { id: requestId("r"), fingerprint: "f" };
    const cordon = { kind: "node.cordon", nodeId: nodeId("node-1"), note: "" } as const;
    expect(world.send(cordon, request)).toMatchObject({ code: "NODE_NOT_FOUND" });
    world.nodes(1, 1);
    expect(world.send(cordon, request)).toMatchObject({ kind: "accepted", isRepeat: false });
  });
});

describe("a job larger than the cluster", () => {
  const submit = (world: World, gpuType: string) =>
    world.send({ kind: "job.submit", spec: jobSpec({ gpus: 2, gpuTypes: [gpuType] }) });

  test("is held by default, and refused where the policy says so", () => {
    expect(new World().nodes(1, 1).submit({ gpus: 2 })).toBe("job-1");
    const strict = new World(undefined, { oversize: "refuse" }).nodes(1, 1);
    expect(submit(strict, "")).toMatchObject({ code: "EXCEEDS_CLUSTER", field: "spec.nodes" });
  });

  test("is measured by the words of the GPU type, as placement is", () => {
    const world = new World(undefined, { oversize: "refuse" });
    const gpus = nodeSpec("a", 2).gpus.map((gpu) => ({ ...gpu, type: "NVIDIA H100 80GB HBM3" }));
    world.register({ ...nodeSpec("a", 2), gpus });
    expect(submit(world, "h100")).toMatchObject({ kind: "accepted" });
    expect(submit(world, "A100")).toMatchObject({ code: "EXCEEDS_CLUSTER" });
  });
});

describe("queues", () => {
  test.each([
    [
      "a child over its parent's guarantee",
      [queueSpec("a", { guarantee: 1 }), queueSpec("a/b", { guarantee: 2 })],
    ],
    ["a limit under the guarantee", [queueSpec("a", { guarantee: 3, limit: 2 })]],
    ["a missing parent", [queueSpec("a/b")]],
    ["a negative guarantee", [queueSpec("a", { guarantee: -1 })]],
    ["a broken name", [queueSpec("A b")]],
    ["a queue given twice", [queueSpec("a"), queueSpec("a")]],
  ])("%s is refused and nothing changes", (_, queues) => {
    const world = new World();
    const reply = world.send({ kind: "queue.apply", queues, prune: false });
    expect(reply).toMatchObject({ code: "QUEUE_INVALID" });
    expect([...world.state.queues.keys()]).toEqual(["default"]);
  });

  test.each([
    [
      [queueSpec("a", { guarantee: 4 }), queueSpec("a/b", { guaranteeCpuMilli: 4_000 })],
      'Queue "a": guarantee.cpus 0 is less than the 4 that the queues below it are guaranteed.',
      "Raise it to 4, or lower theirs.",
    ],
    [
      [queueSpec("a", { guaranteeMemoryMib: 65_536, limitMemoryMib: 32_768 })],
      'Queue "a": limit.memory 32 GiB is under the guarantee.memory of 64 GiB.',
      "Raise the limit, or lower the guarantee.",
    ],
    [
      [queueSpec("a"), queueSpec("a/b", { usageHalfLifeMs: 10_800_000 })],
      'Queue "a/b": usage_half_life 3 h 0 min is for a whole tree.',
      'Move it to queue "a".',
    ],
    [
      [queueSpec("a"), queueSpec("a/b", { weight: 0 }), queueSpec("a/c", { weight: 0 })],
      'Queue "a/b": weight 0 is the weight of all its siblings (a/b, a/c), which have no guarantee.',
      "Give one of them a weight or a guarantee.",
    ],
  ])(
    "a contradiction is told in the words of the file, with what to do",
    (queues, message, what) => {
      const reply = new World().send({ kind: "queue.apply", queues, prune: false });
      expect(reply).toMatchObject({ message, remedy: `${what} Nothing was changed.` });
    },
  );

  test("a queue with jobs is neither deleted nor pruned nor made a parent", () => {
    const world = new World();
    world.submit();
    const child = queueSpec("default/child");
    for (const command of [
      { kind: "queue.delete", path: queuePath("default") },
      { kind: "queue.apply", queues: [queueSpec("other")], prune: true },
      { kind: "queue.apply", queues: [child], prune: false },
    ] as const) {
      expect(world.send(command)).toMatchObject({ code: "QUEUE_NOT_EMPTY" });
    }
  });
});

test("folding the log again gives the same state, and so does a snapshot", () => {
  const world = new World().nodes(2, 2);
  const job = world.submit({ gpus: 2, nodes: 2, restartsMax: 1 });
  world.plan();
  world.run().checkpoint(job, 5).end(job, CRASHED);
  world.submitAs("r1");
  const folded = createState();
  for (const logged of world.log) apply(folded, logged);
  expect(rows(folded)).toBe(rows(world.state));
  expect(rows(decodeState([...encodeState(world.state)]))).toBe(rows(world.state));
});
