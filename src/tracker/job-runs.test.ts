import { afterEach, beforeEach, expect, test } from "vitest";
import { lossCurve } from "../../test/property/tracker-points.ts";
import { batchOf, currentPoints, TrackerWorld } from "../../test/property/tracker-world.ts";
import { jobId } from "../base/ids.ts";
import { JobRuns } from "./job-runs.ts";
import type { JobState } from "./run-ops.ts";
import type { Tracker } from "./tracker.ts";

let world: TrackerWorld;
let tracker: Tracker;

beforeEach(async () => {
  world = new TrackerWorld();
  tracker = await world.open();
});

afterEach(() => world.remove());

const job = (id: string, more: Partial<JobState> = {}): JobState => ({
  jobId: jobId(id),
  name: "gpt",
  queue: "research/nlp",
  owner: { tenant: "acme", user: "ann" },
  phase: "pending",
  attempt: 0,
  submittedAtMs: 1_000,
  startedAtMs: null,
  endedAtMs: null,
  params: new Map([["nodes", "2"]]),
  tags: new Map(),
  ...more,
});

const noFault = (error: unknown): never => {
  throw error;
};

test("a run is there as soon as its job is, and follows it", async () => {
  const runs = new JobRuns({ tracker, onFault: noFault });
  const seen: unknown[] = [];
  const told: readonly Partial<JobState>[] = [
    { phase: "pending" },
    { phase: "running", attempt: 1, startedAtMs: 2_000 },
    { phase: "stopping", attempt: 1, startedAtMs: 2_000 },
    { phase: "pending", attempt: 1, startedAtMs: 2_000 },
    { phase: "running", attempt: 2, startedAtMs: 2_000 },
    { phase: "succeeded", attempt: 2, startedAtMs: 2_000, endedAtMs: 9_000 },
  ];
  for (const more of told) {
    runs.onJobChanged(job("job-1", more));
    await runs.settled();
    const found = tracker.getRun("job-1");
    if ("run" in found) seen.push(found.run.status);
  }
  expect(seen).toEqual(["SCHEDULED", "RUNNING", "RUNNING", "SCHEDULED", "RUNNING", "FINISHED"]);
  expect(tracker.getRun("job-1")).toMatchObject({
    run: {
      experiment: "research/nlp",
      name: "gpt",
      tenant: "acme",
      user: "ann",
      createdAtMs: 1_000,
      startedAtMs: 2_000,
      endedAtMs: 9_000,
      params: new Map([["nodes", "2"]]),
      attempt: 2,
    },
  });
});

test.each([
  ["failed", "FAILED"],
  ["cancelled", "KILLED"],
] as const)("a %s job's run is %s", async (phase, status) => {
  await tracker.followJobs([job("job-1", { phase, endedAtMs: 5_000 })]);
  expect(tracker.getRun("job-1")).toMatchObject({ run: { status, endedAtMs: 5_000 } });
});

test("metrics that beat the news of their job stay with the run", async () => {
  await tracker.storeBatch(batchOf({ from: 0, to: 10, points: lossCurve(5) }));
  await tracker.followJobs([job("job-1", { phase: "running", attempt: 1, startedAtMs: 2_000 })]);
  expect(tracker.getRun("job-1")).toMatchObject({
    run: { experiment: "research/nlp", origin: "job", startedAtMs: 2_000 },
    metrics: ["loss"],
  });
  expect(await currentPoints(tracker)).toHaveLength(5);
});

test("params and tags that were set on the run meanwhile stay", async () => {
  await tracker.followJobs([job("job-1")]);
  const change = { status: null, params: new Map([["lr", "0.1"]]), tags: new Map([["a", "b"]]) };
  await tracker.updateRun("r1", "job-1", change);
  await tracker.followJobs([job("job-1", { phase: "running", attempt: 1 })]);
  expect(tracker.getRun("job-1")).toMatchObject({
    run: {
      params: new Map([
        ["nodes", "2"],
        ["lr", "0.1"],
      ]),
      tags: change.tags,
    },
  });
});

test("points logged without an attempt belong to the job's newest", async () => {
  await tracker.storeBatch(batchOf({ from: 0, to: 1, points: lossCurve(10) }));
  await tracker.followJobs([job("job-1", { phase: "running", attempt: 2 })]);
  const { metrics, points } = batchOf({ from: 0, to: 1, points: lossCurve(2, 5) });
  await tracker.logMetrics("l1", { runId: "job-1", metrics, points });
  expect(await currentPoints(tracker)).toHaveLength(7);
});

test("a failing store is tried again with the newest state, and told about", async () => {
  const faults: unknown[] = [];
  const written: JobState["phase"][] = [];
  let failures = 2;
  const runs = new JobRuns({
    onFault: (error) => faults.push(error),
    tracker: {
      openJobRuns: () => [],
      abandonRuns: () => Promise.resolve(),
      followJobs: async (jobs) => {
        if (failures-- > 0) throw new Error("disk full");
        written.push(...jobs.map(({ phase }) => phase));
      },
    },
  });
  runs.onJobChanged(job("job-1"));
  runs.onJobChanged(job("job-1", { phase: "running" }));
  await runs.settled();
  expect(written).toEqual(["running"]);
  expect(faults).toHaveLength(2);
});

test("closing gives up on a store that stays away", async () => {
  const faults: unknown[] = [];
  const followJobs = (): Promise<void> => Promise.reject(new Error("disk full"));
  const runs = new JobRuns({
    onFault: (error) => faults.push(error),
    tracker: { openJobRuns: () => [], abandonRuns: () => Promise.resolve(), followJobs },
  });
  runs.onJobChanged(job("job-1"));
  await runs.close();
  expect(faults.length).toBeGreaterThan(0);
});

test("at the start all runs are brought to where the jobs are; those without a job are ended", async () => {
  await tracker.followJobs([
    job("job-1", { phase: "running", attempt: 1 }),
    job("job-2", { phase: "running", attempt: 1 }),
    job("job-3", { phase: "succeeded", endedAtMs: 3_000 }),
  ]);
  tracker = await world.reopen();
  const runs = new JobRuns({ tracker, onFault: noFault });
  await runs.reconcile([job("job-1", { phase: "failed", endedAtMs: 4_000 }), job("job-4")]);
  const statusOf = (id: string): string => {
    const found = tracker.getRun(id);
    return "run" in found ? found.run.status : found.code;
  };
  expect(["job-1", "job-2", "job-3", "job-4"].map(statusOf)).toEqual([
    "FAILED",
    "KILLED",
    "FINISHED",
    "SCHEDULED",
  ]);
  expect(tracker.openJobRuns()).toEqual(["job-4"]);
});

test("what changes while the runs are brought up to date wins", async () => {
  const runs = new JobRuns({ tracker, onFault: noFault });
  const reconciled = runs.reconcile([job("job-1"), job("job-2")]);
  runs.onJobChanged(job("job-1", { phase: "running", attempt: 1 }));
  runs.onJobChanged(job("job-3", { phase: "running", attempt: 1 }));
  await reconciled;
  await runs.settled();
  const statusOf = (id: string): string => {
    const found = tracker.getRun(id);
    return "run" in found ? found.run.status : found.code;
  };
  expect(["job-1", "job-2", "job-3"].map(statusOf)).toEqual(["RUNNING", "SCHEDULED", "RUNNING"]);
});

test("telling what is known already writes nothing", async () => {
  await world.close();
  let commits = 0;
  tracker = await world.open({ onCommit: () => (commits += 1) });
  await tracker.followJobs([job("job-1")]);
  await tracker.followJobs([job("job-1")]);
  expect(commits).toBe(1);
});
