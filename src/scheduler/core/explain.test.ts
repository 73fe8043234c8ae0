import { describe, expect, test } from "vitest";
import { atOnce } from "../../base/at-once.ts";
import type { JobId } from "../../base/ids.ts";
import { queuePath } from "../../base/ids.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { type Explanation, explain, explainInTurns } from "./explain.ts";
import { explainSubmission } from "./explain-submission.ts";
import { holdDetails, holdMessage } from "./hold-words.ts";
import { ALICE, jobSpec, nodeSpec, queueSpec, STOPPED, World } from "./fixture.ts";
import { forecastStarts } from "./start-forecast.ts";

function explained(world: World, id: JobId): Explanation {
  const hold = world.plan().holds.of(id);
  const { state, nowMs } = world;
  return explain({ state, nowMs, starts: forecastStarts(state, nowMs), left: null }, id, hold);
}

/** Without a pass that looked at it. */
const unasked = ({ state, nowMs }: World, id: JobId): Explanation =>
  explain({ state, nowMs, starts: null, left: null }, id, null);

describe("a job that waits", () => {
  test("is told what binds it, who is ahead with sizes, and what would start it now", () => {
    const world = new World([queueSpec("default", { guarantee: 2, limit: 8 })]).nodes(2, 4);
    world.submit({ nodes: 2, gpus: 2 });
    const ahead = world.submit({ gpus: 4 });
    const id = world.submit({ gpus: 4 });
    world.nowMs += 30_000;
    expect(explained(world, id)).toEqual({
      lines: [
        "job-3 has waited 30 s in default.",
        "It needs 4 GPUs free on one node. 4 GPUs are free in all, but no node has them.",
        "It is number 2 of its queue, behind job-2 (4 GPUs).",
        "Queue default uses 4 GPUs; 2 are guaranteed to it, with a limit of 8: it " +
          "borrows 2. " +
          "`trainyard queue shares` compares it with the others.",
        "When it starts can't be told: no job of its kind has ended yet, and of what runs none states " +
          "a time limit.",
        "With nodes: 2 and gpus: 2 it would start now.",
      ],
      position: 2,
      ahead: [ahead],
      remedy: "With nodes: 2 and gpus: 2 it would start now.",
      prospect: {
        forecast: { p50Ms: null, p90Ms: null, gap: "run_times", basis: "runs" },
        preemption: null,
      },
    });
  });

  test.each<readonly [string, Parameters<World["submit"]>[0], string]>([
    ["a gang", { nodes: 3, gpus: 2 }, "With nodes: 2 it would start now."],
    ["GPUs on a node", { gpus: 3 }, "With gpus: 2 on each node it would start now."],
    ["a type", { gpuTypes: ["H100"] }, "With any GPU type it would start now."],
  ])("hears that a smaller wish for %s would do", (_, wish, remedy) => {
    const world = new World().nodes(2, 2);
    expect(explained(world, world.submit(wish)).remedy).toBe(remedy);
  });

  test("hears which resource is too much for every node, and with how much of it it would start", () => {
    const world = new World().nodes(2, 8);
    const perNode = { gpus: 4, cpuMilli: 100_000, memoryMib: 4 * 1_024 };
    const { lines, remedy } = explained(world, world.submit({ perNode }));
    expect(lines).toContain(
      "It asks for 1 node with 4 GPUs, 100 CPUs and 4 GiB of memory, and no node of the cluster is " +
        "that large (at most 8 GPUs, 64 CPUs and 250 GiB of memory on one).",
    );
    expect(remedy).toBe("With cpus: 64 it would start now.");
  });

  test("hears that a gang stands on one GPU type, and that more nodes would do if it need not", () => {
    const world = new World().nodes(2, 8);
    const other = nodeSpec("other", 8);
    world.register({ ...other, gpus: other.gpus.map((gpu) => ({ ...gpu, type: "A100" })) });
    const { lines, remedy } = explained(world, world.submit({ nodes: 3, gpus: 8 }));
    expect(lines).toContain(
      "It asks for 3 nodes with 8 GPUs each, and only 2 of the cluster are that large (at most 8 GPUs " +
        "on one); 3 are, of several GPU types.",
    );
    expect(remedy).toBe("With mix_gpu_types: true it would start now.");
    const typed = explained(world, world.submit({ nodes: 2, gpus: 8, gpuTypes: ["A100"] }));
    expect(typed.lines[1]).toMatch(
      /^It asks for 2 nodes with 8 GPUs each of type A100, and only one/,
    );
  });

  test("hears of which type too few are free, where others are", () => {
    const world = new World().nodes(2, 8);
    const other = nodeSpec("other", 2);
    world.register({ ...other, gpus: other.gpus.map((gpu) => ({ ...gpu, type: "A100" })) });
    world.submit({ gpus: 2, gpuTypes: ["A100"] });
    const { lines } = explained(world, world.submit({ gpus: 2, gpuTypes: ["A100", "H100"] }));
    expect(lines).toContain("It asks for 2 GPUs of type A100 or H100 and 0 are free.");
  });

  test("hears which limit is in the way", () => {
    const world = new World([queueSpec("a", { limit: 4 })]).nodes(1, 8);
    const queue = queuePath("a");
    world.submit({ queue, gpus: 4 });
    const waiting = explained(world, world.submit({ queue }));
    expect(waiting.remedy).toBe("With a limit of 5 GPUs for a it would start now.");
    const never = explained(world, world.submit({ queue, gpus: 5 }));
    expect(never.lines).toContain("It asks for 5 GPUs; queue a may never use more than 4 GPUs.");
  });
});

describe("a job that could never start", () => {
  const busy = (): World => {
    const world = new World();
    for (const [name, rack] of [
      ["a", "r1"],
      ["b", "r1"],
      ["c", "r2"],
    ] as const) {
      world.register({ ...nodeSpec(name, 4), labels: { rack } });
      world.submit({ gpus: 4 });
    }
    world.plan();
    return world;
  };

  test.each<readonly [string, Parameters<World["submit"]>[0], string]>([
    ["of fewer nodes", { nodes: 4, gpus: 4 }, "With nodes: 3 it could start some day."],
    [
      "of a rack less strictly meant",
      { nodes: 3, gpus: 4, topology: { level: "rack", mode: "required" } },
      "With nodes: 2 or topology mode: preferred it could start some day.",
    ],
  ])("hears %s, though nothing is free now", (_, wish, remedy) => {
    const world = busy();
    const told = explained(world, world.submit(wish));
    expect(told.remedy).toBe(remedy);
    expect(told.lines.join(" "), "no place in a line where it waits for ever").not.toContain(
      "of its queue",
    );
  });
});

test("GPUs that are reserved count beside those in use, as limits count them", () => {
  const world = new World([queueSpec("default", { guarantee: 1, limit: 4 })]).nodes(1, 4);
  world.submit({ gpus: 4, priorityClass: "low" });
  world.plan();
  world.run();
  world.submit({ gpus: 2, priorityClass: "high" });
  const id = world.submit({ gpus: 4 });
  world.plan();
  expect(explained(world, id).lines.join("\n")).toContain(
    "Queue default uses 4 GPUs and has 2 reserved; 1 are guaranteed to it, with a limit of 4: it " +
      "borrows 3.",
  );
});

test("a job of a las queue hears whom it may preempt when its patience is over, and does so", () => {
  const world = new World([queueSpec("default", { order: "las" })]).nodes(1, 8);
  const old = world.submit({ gpus: 8 });
  world.plan();
  world.run();
  world.nowMs += 2 * HOUR_MS;
  world.checkpoint(old, 1);
  world.nowMs += 6 * MINUTE_MS;
  const { state, nowMs } = world;
  const moment = { state, nowMs, starts: forecastStarts(state, nowMs), left: null };
  const dryRun = atOnce(explainSubmission(moment, { spec: jobSpec({ gpus: 8 }), owner: ALICE }));
  const id = world.submit({ gpus: 8 });
  const { lines, prospect } = explained(world, id);
  expect(dryRun).toMatchObject({ preview: { kind: "waits" }, explanation: { prospect } });
  const fromMs = world.nowMs + 10 * MINUTE_MS;
  expect(lines).toContain(
    "From 1970-01-01T02:32:40Z on, if it still waits, it may preempt job-1 (las).",
  );
  // Patience ends in ten minutes, unless the victim saves before; it has two minutes of grace.
  expect(prospect?.forecast).toEqual({
    p50Ms: 5 * MINUTE_MS,
    p90Ms: 12 * MINUTE_MS,
    gap: null,
    basis: "turn",
  });
  world.nowMs = fromMs;
  expect(world.plan().evictions).toEqual(prospect?.preemption?.evictions);
  expect(world.phase(old)).toBe("stopping");
});

test("who has its room reserved is told no later time than when those there must have left", () => {
  const world = new World([queueSpec("default", { order: "las" })]).nodes(1, 8);
  world.submit({ gpus: 8, priorityClass: "low" });
  world.plan();
  world.run();
  const id = world.submit({ gpus: 8 });
  const hold = world.plan().holds.of(id);
  const { state, nowMs } = world;
  // As corrections learned from others may have it.
  const late = { p50Ms: 46_000, p90Ms: 6 * MINUTE_MS, gap: null, basis: "runs" } as const;
  const starts = { nowMs, of: () => late, turnOf: () => null };
  const { lines, prospect } = explain({ state, nowMs, starts, left: null }, id, hold);
  expect(prospect?.forecast).toEqual({ ...late, p90Ms: 2 * MINUTE_MS, basis: "reserved" });
  expect(lines).toContain(
    "It is likely to start in 46 s, with 90 % by 2 min from now (1970-01-01T00:18:40Z): those who " +
      "leave for it have gone by then.",
  );
});

test("what a queue is due, though others wait in vain, is no right of a newcomer", () => {
  const [a, b, c] = [queuePath("a"), queuePath("b"), queuePath("c")];
  const world = new World([queueSpec("a"), queueSpec("b"), queueSpec("c")]).nodes(4, 4);
  for (const queue of [a, b, b, b]) world.submit({ queue, gpus: 4 });
  world.plan();
  world.run();
  // Each is due a third of the cluster, though this gang wants all of it.
  world.submit({ queue: c, nodes: 4, gpus: 4 });
  world.plan();
  world.nowMs += 10 * MINUTE_MS;
  const { state, nowMs } = world;
  const moment = { state, nowMs, starts: forecastStarts(state, nowMs), left: null };
  const told = atOnce(
    explainSubmission(moment, { spec: jobSpec({ queue: a, gpus: 4 }), owner: ALICE }),
  );
  expect(told).toMatchObject({ preview: { kind: "waits" } });
  expect(told).toHaveProperty("explanation.prospect.preemption", null);
});

test("an explanation goes on though the cluster does while it pauses", () => {
  const world = new World([queueSpec("default")]).nodes(1, 4);
  world.submit({ gpus: 4, priorityClass: "high" });
  world.plan();
  world.run();
  const id = world.submit({ gpus: 4, priorityClass: "low" });
  const { holds } = world.plan();
  const { state, nowMs } = world;
  const moment = { state, nowMs, starts: null, left: null };
  const steps = explainInTurns(moment, id, holds.of(id));
  let pauses = 0;
  for (let step = steps.next(); step.done !== true; step = steps.next()) {
    pauses += 1;
    world.nowMs += HOUR_MS;
    world.submit({ gpus: 1 });
  }
  expect(pauses).toBeGreaterThan(1);
});

test("a turn that was foreseen is not told any more once its victim has ended", () => {
  const world = new World([queueSpec("default", { order: "las" })]).nodes(1, 8);
  const old = world.submit({ gpus: 8 });
  world.plan();
  world.run();
  world.nowMs += 2 * HOUR_MS;
  const id = world.submit({ gpus: 8 });
  world.checkpoint(old, 1);
  world.nowMs += 6 * MINUTE_MS;
  const starts = forecastStarts(world.state, world.nowMs);
  const told = (): readonly string[] =>
    explain({ state: world.state, nowMs: world.nowMs, starts, left: null }, id, null).lines;
  expect(told().join()).toContain("it may preempt job-1");
  world.end(old);
  expect(told().join()).not.toContain("it may preempt");
});

test("an estimate says what it goes by", () => {
  const world = new World().nodes(3, 1);
  const grounds = (): string => {
    const { lines } = explained(world, waiting);
    return lines.find((line) => line.startsWith("It is likely"))?.replace(/^.*: /, "") ?? "";
  };
  const told = world.submit();
  world.submit({ timeLimitMs: HOUR_MS });
  world.submit();
  world.plan();
  world.run();
  world.must({ kind: "job.forecast", jobId: told, remainingMs: HOUR_MS });
  const waiting = world.submit();
  world.nowMs += MINUTE_MS;
  expect(grounds()).toBe(
    "going by the steps of 1 of 3 that run and the time limits of 1 of 3 that run and how long " +
      "the rest has run, for no job has ended yet.",
  );
  world.end(told);
  world.plan();
  expect(world.phase(waiting)).toBe("placed");
});

describe("the past", () => {
  test("says for whom an attempt was preempted and what that cost", () => {
    const world = new World().nodes(1, 1);
    const low = world.submit({ priorityClass: "low" });
    world.plan();
    world.run();
    world.nowMs += 60_000;
    const high = world.submit({ priorityClass: "high" });
    world.plan();
    expect(unasked(world, low).lines).toEqual([
      "It is being stopped, by 1970-01-01T00:19:40Z at the latest.",
      "Preempted (priority) for job-2: job-2 needs 1 GPU and goes before it in default: high over low.",
    ]);
    world.nowMs += 1_000;
    world.end(low, STOPPED);
    const { lines, position } = unasked(world, low);
    expect(position).toBe(2);
    expect(lines.at(-1)).toBe(
      "Attempt 1: preempted at 1970-01-01T00:17:41Z. Preempted (priority) for job-2: job-2 needs 1 " +
        "GPU and goes before it in default: high over low. 61 GPU seconds of work were lost.",
    );
    world.plan();
    expect(unasked(world, high)).toEqual({
      lines: ["Attempt 1 is placed on node-1 for 0 s."],
      position: 0,
      ahead: [],
      remedy: "",
      prospect: null,
    });
  });
});

test("the numbers of a hold come by name", () => {
  const hold = {
    code: "WAITING_FOR_QUOTA",
    resource: "gpus",
    queue: queuePath("a/b"),
    asked: 4,
    allocated: 6,
    limit: 8,
  } as const;
  expect(holdDetails(hold)).toEqual({
    resource: "gpus",
    queue: "a/b",
    asked: "4",
    allocated: "6",
    limit: "8",
  });
  expect(holdMessage(hold)).toBe("It asks for 4 GPUs; queue a/b uses 6 GPUs and may use 8 GPUs.");
});
