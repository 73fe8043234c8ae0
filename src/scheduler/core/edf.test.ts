import { describe, expect, it } from "vitest";
import type { JobId } from "../../base/ids.ts";
import { MINUTE_MS } from "../../base/time.ts";
import { step } from "./cycle.ts";
import { explain } from "./explain.ts";
import { jobSpec, queueSpec, World } from "./fixture.ts";
import type { Policy } from "./state.ts";

/** One node that is busy: whatever comes now waits. */
function busy(policy: Partial<Policy> = {}, order: "edf" | "fifo" = "edf"): World {
  const world = new World([queueSpec("default", { order })], policy).nodes(1, 4);
  world.submit({ gpus: 4, priorityClass: "high" });
  world.plan();
  return world.run();
}

/** Minutes from now until the deadline, minutes of the time limit. */
function due(world: World, deadline: number, limit = 1, user = "alice", gpus = 4): JobId {
  const spec = jobSpec({
    gpus,
    deadlineMs: world.nowMs + deadline * MINUTE_MS,
    timeLimitMs: limit * MINUTE_MS,
  });
  const actor = { tenant: "default", user };
  const { reply } = step(
    world.state,
    { command: { kind: "job.submit", spec }, actor, request: null },
    world.nowMs,
  );
  if (reply.kind === "refusal" || reply.jobId === null) throw new Error("refused");
  return reply.jobId;
}

/** The order in which waiting jobs are looked at, which must be what every position says. */
function line(world: World): readonly JobId[] {
  const { state, nowMs } = world;
  const placed = [...state.pending.ids()].map((id) => {
    const { position, ahead } = explain({ state, nowMs, starts: null, left: null }, id, null);
    expect(ahead).toHaveLength(position - 1);
    return { id, position, ahead };
  });
  const inOrder = placed.sort((a, b) => a.position - b.position);
  const ids = inOrder.map(({ id }) => id);
  for (const { position, ahead } of inOrder) expect(ahead).toEqual(ids.slice(0, position - 1));
  return ids;
}

describe("a queue of the order edf", () => {
  it("serves the earliest deadline first, and those without one after all that have one", () => {
    const world = busy();
    const none = world.submit({ gpus: 4 });
    const [late, soon, middle] = [due(world, 60), due(world, 20), due(world, 40, 5)];
    expect(line(world)).toEqual([soon, middle, late, none]);
    world.end("job-1" as JobId);
    expect(world.plan().starts).toMatchObject([{ jobId: soon }]);
  });

  it("ranks one that can no longer start in time by its age alone", () => {
    const world = busy();
    const none = world.submit({ gpus: 4 });
    const [long, short] = [due(world, 30, 20), due(world, 40, 1)];
    expect(line(world)).toEqual([long, short, none]);
    world.nowMs += 10 * MINUTE_MS;
    expect(line(world)).toEqual([long, short, none]);
    world.nowMs += 1;
    expect(line(world)).toEqual([short, none, long]);
  });

  it("puts deadlines before what users hold, and classes before deadlines", () => {
    const world = busy();
    const other = due(world, 50, 1, "bob");
    const own = due(world, 40);
    const high = world.submit({ gpus: 4, priorityClass: "high" });
    expect(line(world)).toEqual([high, own, other]);
  });

  it("wakes up when a deadline is given up, where nobody may get ahead", () => {
    const world = busy({ isBackfillEnabled: false });
    world.end("job-1" as JobId);
    world.submit({ gpus: 2 });
    world.plan();
    world.run();
    due(world, 10, 4);
    const small = world.submit({ gpus: 1 });
    expect(world.plan().wakeAtMs).toBe(world.nowMs + 6 * MINUTE_MS + 1);
    expect(world.phase(small)).toBe("pending");
  });
});

it("deadlines are nothing to a queue of another order", () => {
  const world = busy({}, "fifo");
  const [late, soon] = [due(world, 60), due(world, 20)];
  expect(line(world)).toEqual([late, soon]);
});

it("a deadline needs a time limit", () => {
  const world = busy();
  const change = { deadlineMs: world.nowMs + 1, timeLimitMs: null };
  expect(world.submitAs("r1", change)).toMatchObject({
    code: "INVALID_SPEC",
    field: "spec.timeLimit",
  });
});

it("explain says by when the job has to start, and when that has passed", () => {
  const world = busy();
  const id = due(world, 30, 10);
  const told = (): string =>
    explain(
      { state: world.state, nowMs: world.nowMs, starts: null, left: null },
      id,
      null,
    ).lines.join("\n");
  expect(told()).toContain("to meet it, it must start within 20 min.");
  world.nowMs += 25 * MINUTE_MS;
  expect(told()).toContain("it would have had to start 5 min ago, and it is ranked without");
});
