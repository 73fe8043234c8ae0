// Forecasts of starts held against the starts, through the simulator: each job that waits is told when
// it begins to wait, as the daemon tells it, and half of them are to start by the median, nine of ten by
// the 90 % mark. A trace that is not here is skipped, and said to be.

import { describe, expect, test } from "vitest";
import { must } from "../../src/base/assert.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/base/time.ts";
import { type ForecastError, ForecastErrors } from "../../src/scheduler/core/forecast-errors.ts";
import type { LoggedEvent } from "../../src/scheduler/core/events.ts";
import type { JobId } from "../../src/base/ids.ts";
import { jobOf } from "../../src/scheduler/core/lookup.ts";
import { forecastStarts } from "../../src/scheduler/core/start-forecast.ts";
import {
  type ClusterState,
  DEFAULT_POLICY,
  type Policy,
  type QueueOrder,
} from "../../src/scheduler/core/state.ts";
import { tenantQueues } from "../../src/trace/core/queues.ts";
import { Simulation } from "../../src/trace/core/simulation.ts";
import type { Workload } from "../../src/trace/core/workload.ts";
import { workloadFor } from "./gate-workloads.ts";
import { CASES, type GateCase, WORK } from "./policy-budgets.ts";

/** Tells everybody who begins to wait, and hears who starts. */
class Teller {
  readonly errors: ForecastError[] = [];
  untold = 0;
  readonly #forecasts = new ForecastErrors();

  tell(state: ClusterState, nowMs: number): void {
    const untold = [...state.pending.ids()].filter(
      (id) => !this.#forecasts.isTold(id) && !state.reservations.has(id),
    );
    if (untold.length === 0) return;
    const starts = forecastStarts(state, nowMs);
    for (const id of untold) this.#tellOne(state, id, starts, nowMs);
  }

  #tellOne(
    state: ClusterState,
    id: JobId,
    starts: ReturnType<typeof forecastStarts>,
    nowMs: number,
  ): void {
    const job = jobOf(state, id);
    const raw = starts.of(job, 0);
    if (raw === null || raw.p50Ms === null) this.untold += 1;
    else this.#forecasts.tell(job, raw, nowMs);
  }

  hear(events: readonly LoggedEvent[]): void {
    for (const { event, atMs } of events) {
      if (event.kind !== "job.placed") continue;
      const error = this.#forecasts.started(event.jobId, atMs);
      if (error !== null) this.errors.push(error);
    }
  }
}

interface Calibration {
  readonly told: number;
  readonly untold: number;
  /** Parts of those who were told. */
  readonly byP50: number;
  readonly byP90: number;
  readonly errorMinutesMedian: number;
}

function calibrate(
  workload: Workload,
  { cluster }: GateCase,
  policy: Policy,
  order: QueueOrder,
): Calibration {
  const teller = new Teller();
  let passed: () => void = () => undefined;
  const observer = {
    sampleMs: HOUR_MS,
    onEvents: (events: readonly LoggedEvent[]) => teller.hear(events),
    onHeld: () => undefined,
    onPassStart: () => undefined,
    onPassEnd: () => passed(),
    onSample: () => undefined,
  };
  const queues = tenantQueues(workload, cluster, "equal", order);
  const setup = { workload, cluster, queues, policy, work: WORK, inform: () => [] };
  const simulation = new Simulation({ ...setup, passIntervalMs: 0, untilMs: null }, observer);
  passed = () => {
    const { state, endedAtMs } = simulation.end();
    teller.tell(state, endedAtMs);
  };
  while (!simulation.advance(10_000));
  const { errors, untold } = teller;
  const part = (isSo: (error: ForecastError) => boolean): number =>
    Math.round((1_000 * errors.filter(isSo).length) / Math.max(1, errors.length)) / 1_000;
  const sizes = errors.map(({ lateMs }) => Math.abs(lateMs)).sort((a, b) => a - b);
  return {
    told: errors.length,
    untold,
    byP50: part(({ isByP50 }) => isByP50),
    byP90: part(({ isByP90 }) => isByP90),
    errorMinutesMedian: Math.round((sizes[sizes.length >> 1] ?? 0) / MINUTE_MS),
  };
}

const IN_ORDER: Policy = { ...DEFAULT_POLICY, isPreemptionEnabled: false };

/**
 * Parts of those who were told that may start by a mark. Measured when it was set: by the median 0.533,
 * 0.474, 0.481 and 0.552, by the 90 % mark 0.888, 0.928, 0.874 and 0.86; nothing depends on the machine.
 */
const BY_P50 = { min: 0.4, max: 0.62 };
const BY_P90 = { min: 0.84, max: 0.97 };

const FORECAST_CASES = [
  { name: "philly-like on 256 GPUs", order: "las", policy: DEFAULT_POLICY },
  { name: "itp-like on 192 GPUs", order: "las", policy: DEFAULT_POLICY },
  { name: "itp-like on 192 GPUs", order: "fifo", policy: IN_ORDER },
  {
    name: "the first 3,000 jobs of ITP cluster04 on 576 GPUs",
    order: "las",
    policy: DEFAULT_POLICY,
  },
] as const;

describe.each(FORECAST_CASES)("$name, $order", ({ name, order, policy }) => {
  const given = must(
    CASES.find((one) => one.name === name),
    name,
  );
  const workload = workloadFor(given);

  test.skipIf(workload === null)("half start by the median, nine of ten by the 90 % mark", () => {
    const measured = calibrate(must(workload, name), given, policy, order);
    console.log(`${name}, ${order}: ${JSON.stringify(measured)}`);
    expect(measured.told).toBeGreaterThan(50);
    expect(measured.untold).toBeLessThanOrEqual(0.05 * measured.told);
    expect(measured.byP50).toBeGreaterThan(BY_P50.min);
    expect(measured.byP50).toBeLessThan(BY_P50.max);
    expect(measured.byP90).toBeGreaterThan(BY_P90.min);
    expect(measured.byP90).toBeLessThan(BY_P90.max);
  });
});
