import { describe, expect, it } from "vitest";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import type { LoggedEvent } from "../../scheduler/core/events.ts";
import { DEFAULT_POLICY, type Policy, type QueueSpec } from "../../scheduler/core/state.ts";
import { queueSpec } from "../../scheduler/core/fixture.ts";
import { invariants } from "../../scheduler/core/invariants.ts";
import type { WorkModel } from "./job-work.ts";
import { Recorder } from "./recorder.ts";
import { Simulation } from "./simulation.ts";
import { alike, gpusOfNode, nodeOfGpus } from "./cluster.ts";
import { gangOf, type TraceJob, workloadOf } from "./workload.ts";

const WORK: WorkModel = {
  checkpointIntervalMs: 30 * MINUTE_MS,
  restartCostMs: MINUTE_MS,
  stopMs: 0,
  savesOnStop: false,
};
const CLUSTER = alike(2, nodeOfGpus(8));

function job(submitMs: number, durationMs: number, gpus: number, tenant = "a"): TraceJob {
  const gang = gangOf(gpus, gpusOfNode(CLUSTER));
  const owner = { tenant, user: tenant };
  return {
    submitMs,
    durationMs,
    ...gang,
    tenant,
    owner,
    timeLimitMs: null,
    asks: {},
    origin: "test",
  };
}

function run(
  jobs: readonly TraceJob[],
  change: {
    readonly work?: Partial<WorkModel>;
    readonly policy?: Partial<Policy>;
    readonly queues?: readonly QueueSpec[];
    readonly passIntervalMs?: number;
    readonly untilMs?: number;
  } = {},
) {
  const workload = workloadOf(jobs);
  const log: LoggedEvent[] = [];
  const recorder = new Recorder({
    tenants: workload.tenants,
    clockMs: () => 0,
    onEvents: (events) => void log.push(...events),
  });
  const setup = {
    workload,
    cluster: CLUSTER,
    queues: change.queues ?? workload.tenants.map((tenant) => queueSpec(tenant)),
    policy: { ...DEFAULT_POLICY, ...change.policy },
    work: { ...WORK, ...change.work },
    passIntervalMs: change.passIntervalMs ?? 0,
    untilMs: change.untilMs ?? null,
    inform: () => [],
  };
  const simulation = new Simulation(setup, recorder);
  while (!simulation.advance(1)) expect(invariants(simulation.end().state)).toEqual([]);
  return { end: simulation.end(), recorder, log };
}

/** `a` borrows the whole cluster; `b` reclaims one of the two nodes after 50 minutes. */
const RECLAIM = [
  job(0, 2 * HOUR_MS, 8),
  job(0, 2 * HOUR_MS, 8),
  job(50 * MINUTE_MS, HOUR_MS, 8, "b"),
];
const QUEUES = [queueSpec("a", { guarantee: 8 }), queueSpec("b", { guarantee: 8 })];

describe("a simulated job", () => {
  it("ends when its work is done, and the next one starts in its place", () => {
    const { end } = run([job(0, 1_000, 16), job(10, 500, 16)]);
    const found = end.works.map(({ firstPlacedAtMs, endedAtMs }) => [firstPlacedAtMs, endedAtMs]);
    expect(found).toEqual([
      [0, 1_000],
      [1_000, 1_500],
    ]);
  });

  it("goes on from its last checkpoint after a preemption, and what came after that is lost", () => {
    const { end } = run(RECLAIM, { queues: QUEUES });
    const [victim, , taker] = end.works;
    expect(taker).toMatchObject({ firstPlacedAtMs: 50 * MINUTE_MS, endedAtMs: 110 * MINUTE_MS });
    // 30 of its 50 minutes were saved; at 110 it starts again, at 111 it goes on for 90.
    expect(victim).toMatchObject({ preemptions: 1, endedAtMs: 201 * MINUTE_MS });
    expect(victim?.lostGpuMs).toBe((20 + 1) * MINUTE_MS * 8);
    expect(end.state.totals).toMatchObject({ thrash: 0, lostGpuMs: 20 * MINUTE_MS * 8 });
  });

  it("loses only the restart when it saves its work before it leaves", () => {
    const { end } = run(RECLAIM, { queues: QUEUES, work: { savesOnStop: true } });
    expect(end.works[0]).toMatchObject({ endedAtMs: 181 * MINUTE_MS, lostGpuMs: MINUTE_MS * 8 });
  });

  it("keeps its GPUs while it stops, without progress", () => {
    const { end } = run(RECLAIM, { queues: QUEUES, work: { stopMs: 3_000 } });
    expect(end.works[2]).toMatchObject({ firstPlacedAtMs: 50 * MINUTE_MS + 3_000 });
    expect(end.works[0]?.lostGpuMs).toBe((21 * MINUTE_MS + 3_000) * 8);
  });

  it("starts over without checkpoints", () => {
    const { end } = run(RECLAIM, { queues: QUEUES, work: { checkpointIntervalMs: 0 } });
    expect(end.works[0]).toMatchObject({ endedAtMs: 231 * MINUTE_MS });
  });
});

describe("a simulation", () => {
  it("plans at once after a change, but not sooner than the pass interval after the last pass", () => {
    const minutes = [0, 1, 8].map((at) => job(at * MINUTE_MS, HOUR_MS, 1));
    const { end } = run(minutes, { passIntervalMs: 5 * MINUTE_MS });
    const starts = end.works.map(({ firstPlacedAtMs }) => (firstPlacedAtMs ?? 0) / MINUTE_MS);
    expect(starts).toEqual([0, 5, 10]);
  });

  it("does not put off the pass for whom somebody has made room", () => {
    const { end } = run(RECLAIM, { queues: QUEUES, passIntervalMs: 10 * MINUTE_MS });
    expect(end.works[2]?.firstPlacedAtMs).toBe(50 * MINUTE_MS);
  });

  it("logs the same events each time", () => {
    const [one, two] = [run(RECLAIM, { queues: QUEUES }), run(RECLAIM, { queues: QUEUES })];
    expect(one.log.length).toBeGreaterThan(30);
    expect(two.log).toEqual(one.log);
  });

  it("ends at the given instant, whatever still runs", () => {
    const { end } = run([job(0, HOUR_MS, 1), job(HOUR_MS, HOUR_MS, 1)], {
      untilMs: 90 * MINUTE_MS,
    });
    expect(end.works.map(({ isFinished }) => isFinished)).toEqual([true, false]);
    expect(end.endedAtMs).toBeLessThanOrEqual(90 * MINUTE_MS);
  });

  it("keeps one committed checkpoint of a job that runs for long", () => {
    const { log } = run([job(0, 3 * HOUR_MS, 16), job(2.9 * HOUR_MS, 1, 1)]);
    const kinds = log
      .map(({ event }) => event.kind)
      .filter((kind) => kind.startsWith("checkpoint"));
    expect(kinds).toEqual([
      "checkpoint.part-stored",
      "checkpoint.part-stored",
      "checkpoint.committed",
    ]);
  });
});
