import { expect, test } from "vitest";
import { MINUTE_MS } from "../../base/time.ts";
import { explain } from "./explain.ts";
import { waitLines } from "./explain-past.ts";
import { STOPPED, World } from "./fixture.ts";
import type { JobId } from "../../base/ids.ts";
import type { LoggedEvent } from "./events.ts";

const eventsOf = (world: World, id: JobId): readonly LoggedEvent[] =>
  world.log.filter(({ event }) => "jobId" in event && event.jobId === id);

test("a wait is told by what it was for: held, for other jobs, for room, for those who leave", () => {
  const world = new World().nodes(1, 1);
  const first = world.submit({ priorityClass: "low" });
  world.plan();
  world.run();
  const id = world.submit({ isHeld: true, after: [{ job: first, on: "any" }] });
  world.nowMs += 3 * MINUTE_MS;
  world.must({ kind: "job.release", jobId: id });
  world.nowMs += 4 * MINUTE_MS;
  world.end(first);
  const other = world.submit({ priorityClass: "low" });
  world.plan();
  // For room ever since: its hold says so.
  expect(waitLines(eventsOf(world, other), world.nowMs + 10 * MINUTE_MS)).toEqual([]);
  world.run();
  world.nowMs += 30 * MINUTE_MS;
  expect(waitLines(eventsOf(world, id), world.nowMs)).toEqual([
    "It waited 7 min in all: 4 min for other jobs to end, 3 min held by somebody.",
  ]);
});

test("who was preempted is told how often, by which right, and what it cost", () => {
  const world = new World().nodes(1, 1);
  const low = world.submit({ priorityClass: "low" });
  world.plan();
  world.run();
  for (let round = 0; round < 2; round += 1) {
    world.nowMs += MINUTE_MS;
    const high = world.submit({ priorityClass: "high" });
    world.plan();
    world.nowMs += 10_000;
    world.end(low, STOPPED);
    world.plan();
    world.run();
    world.nowMs += MINUTE_MS;
    world.end(high);
    world.plan();
    world.run();
  }
  const { lines } = explain(
    { state: world.state, nowMs: world.nowMs, starts: null, left: null },
    low,
    null,
  );
  expect(lines).toContain(
    "Preempted 2 times because a higher class of its queue went before it (priority), at the cost " +
      "of 140 GPU seconds.",
  );
  // It waited for the high ones each time, not while it ran.
  expect(waitLines(eventsOf(world, low), world.nowMs)).toEqual([
    "It waited 2 min in all: 2 min for room, quota or its turn.",
  ]);
});
