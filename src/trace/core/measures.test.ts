import { describe, expect, it } from "vitest";
import { checkpointId, jobId, nodeId } from "../../base/ids.ts";
import { HOUR_MS } from "../../base/time.ts";
import { finishTimeFairness, shareError } from "./fairness.ts";
import { JobWork } from "./job-work.ts";
import { quantile } from "./stats.ts";
import type { TraceJob } from "./workload.ts";

const MODEL = {
  checkpointIntervalMs: HOUR_MS,
  restartCostMs: 60_000,
  stopMs: 0,
  savesOnStop: false,
};

function traced(submitMs: number, durationMs: number, gpus = 1): TraceJob {
  const shape = { nodes: 1, gpusPerNode: gpus };
  const owner = { tenant: "a", user: "a" };
  return {
    submitMs,
    durationMs,
    ...shape,
    tenant: "a",
    owner,
    timeLimitMs: null,
    asks: {},
    origin: "",
  };
}

function finished(submitMs: number, durationMs: number, endedAtMs: number, gpus = 1): JobWork {
  const work = new JobWork(jobId("job-1"), traced(submitMs, durationMs, gpus), MODEL);
  work.isFinished = true;
  work.endedAtMs = endedAtMs;
  return work;
}

describe("finish-time fairness", () => {
  it("of a job alone in the cluster is its slowdown", () => {
    expect(finishTimeFairness([finished(0, 100, 150, 8)], 8)).toEqual([1.5]);
  });

  it("expects of n jobs of the whole cluster that each takes n times as long", () => {
    // Two jobs of all 8 GPUs, one after the other. The first has company all the time: N = 2,
    // T = 200. The second has it for 100 of 200: N = 1.5, T = 150.
    const works = [finished(0, 100, 100, 8), finished(0, 100, 200, 8)];
    expect(finishTimeFairness(works, 8)).toEqual([0.5, 200 / 150]);
  });

  it("expects no slowdown where everyone fits into an equal part", () => {
    const works = [finished(0, 100, 100), finished(0, 100, 110)];
    expect(finishTimeFairness(works, 8)).toEqual([1, 1.1]);
  });

  it("looks only at jobs that are finished", () => {
    const open = new JobWork(jobId("job-2"), traced(0, 100), MODEL);
    expect(finishTimeFairness([open], 8)).toEqual([]);
  });
});

describe("the error of a share", () => {
  const hours = (count: number): number[] => Array.from({ length: count }, (_, at) => at * HOUR_MS);
  const constant = (count: number, value: number): number[] =>
    Array.from({ length: count }, () => value);
  const series = (
    received: readonly number[],
    due: readonly number[],
    demand: readonly number[],
  ) => ({
    tenant: "a",
    receivedGpuMs: received.map((gpuHours) => gpuHours * HOUR_MS),
    dueMilliGpus: due.map((gpus) => gpus * 1_000),
    demandGpus: [...demand],
  });

  it("is the worst over windows of 24 hours with demand all the time", () => {
    // Due 4 GPUs all the time; 4 held for 24 hours, then 3 for 12 and 4 again.
    const received = hours(60).map((_, at) => at * 4 - Math.max(0, Math.min(12, at - 24)));
    const found = shareError(hours(60), series(received, constant(60, 4), constant(60, 9)));
    expect(found).toBeCloseTo(12 / 96, 12);
  });

  it("is not looked at where demand paused", () => {
    const demand = constant(30, 9);
    demand[15] = 0;
    expect(shareError(hours(30), series(hours(30), constant(30, 4), demand))).toBeNull();
  });
});

describe("a job's work", () => {
  it("saves what it has done up to each interval, from where the attempt began", () => {
    const work = new JobWork(jobId("job-1"), traced(0, 10 * HOUR_MS, 2), MODEL);
    const first = work.begin(1, [nodeId("n")], 1_000);
    expect(work.finishAtMs(first)).toBe(1_000 + 10 * HOUR_MS);
    expect(work.nextCheckpointMs(first)).toBe(1_000 + HOUR_MS);
    // Looked at late: only the newest counts.
    expect(work.takeCheckpoints(first, 3.5 * HOUR_MS)).toBe(1_000 + 3 * HOUR_MS);
    work.savedMs = work.progressMs(first, 1_000 + 3 * HOUR_MS);
    work.savedIn = checkpointId("c");
    work.end(first, 1_000 + 3.5 * HOUR_MS, false);
    expect(work.lostGpuMs).toBe(0.5 * HOUR_MS * 2);
    const second = work.begin(2, [nodeId("n")], 5 * HOUR_MS);
    expect(work.finishAtMs(second)).toBe(5 * HOUR_MS + 60_000 + 7 * HOUR_MS);
    work.end(second, work.finishAtMs(second), true);
    expect(work.lostGpuMs).toBe((0.5 * HOUR_MS + 60_000) * 2);
  });

  it("has no checkpoint that its end comes before", () => {
    const work = new JobWork(jobId("job-1"), traced(0, HOUR_MS), MODEL);
    expect(work.nextCheckpointMs(work.begin(1, [nodeId("n")], 0))).toBeNull();
  });
});

describe("a quantile", () => {
  it("is the nearest rank", () => {
    const values = [10, 20, 30, 40];
    expect([0, 0.25, 0.5, 0.51, 0.99, 1].map((share) => quantile(values, share))).toEqual([
      10, 10, 20, 30, 40, 40,
    ]);
    expect(quantile([], 0.5)).toBe(0);
  });
});
