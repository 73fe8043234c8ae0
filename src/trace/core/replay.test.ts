import { describe, expect, it } from "vitest";
import { queuePath } from "../../base/ids.ts";
import { createState } from "../../scheduler/core/apply.ts";
import type { LoggedEvent } from "../../scheduler/core/events.ts";
import { queueSpec, STOPPED, World } from "../../scheduler/core/fixture.ts";
import { HistoryReader } from "./history.ts";
import { Replay, type ReplaySummary } from "./replay.ts";

/** The first job runs on the only node until one of a higher class takes it. */
function someHistory(): readonly LoggedEvent[] {
  const world = new World().nodes(1, 2);
  const low = world.submit({ gpus: 2, priorityClass: "low" });
  world.plan();
  world.run();
  world.nowMs += 60_000;
  world.submit({ gpus: 2, priorityClass: "high" });
  world.plan();
  world.end(low, STOPPED);
  world.plan();
  return world.log;
}

function replay(log: readonly LoggedEvent[]): ReplaySummary {
  const run = new Replay(createState());
  for (const logged of log) if (!run.next(logged)) break;
  return run.finish();
}

describe("a replay", () => {
  it("comes to the same decisions as the log", () => {
    const log = someHistory();
    expect(replay(log)).toEqual({
      events: log.length,
      passes: 3,
      plannedEvents: 4,
      placements: 2,
      preemptions: 1,
      difference: null,
    });
  });

  it("shows the first event that was decided otherwise", () => {
    const log = someHistory().map((logged) =>
      logged.event.kind === "job.placed"
        ? { ...logged, event: { ...logged.event, placement: [] } }
        : logged,
    );
    const { difference } = replay(log);
    expect(difference?.logged).toContain('"placement":[]');
    expect(difference?.replayed).toContain('"gpus":[0,1]');
  });

  it("shows a decision that the log lacks", () => {
    const log = someHistory();
    const at = log.findIndex(({ event }) => event.kind === "reservation.made");
    const { difference } = replay(log.slice(0, at + 1));
    expect(difference).toMatchObject({ seq: at + 2, logged: null });
    expect(difference?.replayed).toContain("job.stopping");
  });
});

describe("the history of a cluster", () => {
  it("is a workload of what its jobs really ran", () => {
    const world = new World([queueSpec("q", { guarantee: 2 })]).nodes(2, 2);
    const queue = queuePath("q");
    const job = world.submit({ queue, gpus: 2, nodes: 2 });
    world.nowMs += 5_000;
    world.plan();
    world.run();
    world.nowMs += 90_000;
    world.end(job);
    world.submit({ queue, gpus: 1 });
    const reader = new HistoryReader(createState());
    for (const logged of world.log) reader.next(logged);
    expect(reader.finish()).toMatchObject({
      cluster: { nodes: [{ gpus: [{ index: 0 }, { index: 1 }], cpuMilli: 64_000 }, {}] },
      leftOut: 1,
      queues: [{ path: "q", guarantee: 2 }],
      workload: {
        tenants: ["q"],
        jobs: [{ submitMs: 0, durationMs: 90_000, nodes: 2, gpusPerNode: 2, tenant: "q" }],
      },
    });
  });
});
