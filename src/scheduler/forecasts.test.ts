import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobId } from "../base/ids.ts";
import { SECOND_MS } from "../base/time.ts";
import { MetricsRegistry } from "../obs/metrics.ts";
import type { ForecastError } from "./core/forecast-errors.ts";
import { jobOf } from "./core/lookup.ts";
import { CRASHED } from "./core/fixture.ts";
import { Forecasts } from "./forecasts.ts";
import { nextTurn } from "./loop-timers.ts";
import { forecastMetrics } from "./metrics-jobs.ts";
import { TestBrain, TestMemory, TestTime } from "./service-fixture.ts";

const LIMIT = { gpus: 4, timeLimitMs: 600 * SECOND_MS };

let brain: TestBrain;
let time: TestTime;
let forecasts: Forecasts;
let heard: ForecastError[];
let memory: TestMemory;

beforeEach(() => {
  brain = new TestBrain();
  brain.world.nodes(1, 4);
  time = new TestTime();
  heard = [];
  memory = new TestMemory();
  forecasts = create();
  forecasts.start();
  brain.world.submit(LIMIT);
  brain.plan();
  brain.world.run();
});

afterEach(() => forecasts.stop());

function create(): Forecasts {
  const onError = (error: ForecastError): void => void heard.push(error);
  return new Forecasts({ brain, timers: time, clock: time, memory, onError });
}

/** Virtual time for the world's clock and for timers alike. */
async function pass(ms: number): Promise<void> {
  brain.world.nowMs += ms;
  time.advance(ms);
  await nextTurn();
}

/** The rests of a forecast that is being made, without the world's clock. */
async function rests(): Promise<void> {
  for (let rest = 0; rest < 200; rest += 1) {
    time.advance(20);
    await nextTurn();
  }
}

async function p50Of(id: JobId, ahead: number): Promise<number | null> {
  const starts = await forecasts.starts();
  return starts?.of(jobOf(brain.state(), id), ahead)?.p50Ms ?? null;
}

test("one that takes long serves all who ask within ten seconds; then there is a new one", async () => {
  let ticks = 0;
  time.monotonicMs = () => (ticks += 10);
  const first = brain.world.submit(LIMIT);
  brain.plan();
  expect(await p50Of(first, 0)).toBe(600 * SECOND_MS);
  const second = brain.world.submit(LIMIT);
  brain.plan();
  expect(await p50Of(second, 1), "by the pace of its queue").toBe(1_200 * SECOND_MS);
  await pass(11 * SECOND_MS);
  await forecasts.starts();
  await rests();
  expect(await p50Of(second, 1)).toBe(1_189 * SECOND_MS);
});

test("one that is made quickly is made anew for whoever asks, also for a job that has just come", async () => {
  const first = brain.world.submit(LIMIT);
  brain.plan();
  expect(await p50Of(first, 0)).toBe(600 * SECOND_MS);
  await pass(SECOND_MS);
  const second = brain.world.submit(LIMIT);
  brain.plan();
  const seen = (await forecasts.starts())?.of(jobOf(brain.state(), second), 1);
  expect(seen).toMatchObject({ p50Ms: 1_199 * SECOND_MS, basis: "runs" });
});

test("who waits is told without asking, and a start is held against it", async () => {
  const id = brain.world.submit(LIMIT);
  brain.plan();
  await pass(30 * SECOND_MS);
  brain.world.nowMs += 570 * SECOND_MS;
  expect(jobOf(brain.state(), id).phase.kind).toBe("pending");
  const [running] = brain.state().active.keys();
  if (running !== undefined) brain.world.end(running);
  brain.plan();
  expect(heard).toEqual([{ lateMs: 0, isByP50: true, isByP90: true }]);
});

test("what errors taught is known after a restart; what cannot be read is learned anew", async () => {
  // Each waits for the one before, which might run for ten minutes, and fails after five.
  for (let n = 0; n < 12; n += 1) {
    brain.world.submit(LIMIT);
    brain.plan();
    await pass(30 * SECOND_MS);
    await pass(270 * SECOND_MS);
    for (const id of brain.state().active.keys()) brain.world.end(id, CRASHED);
    brain.plan();
    brain.world.run();
  }
  expect(heard).toHaveLength(12);
  const id = brain.world.submit(LIMIT);
  brain.plan();
  await pass(30 * SECOND_MS);
  const learned = await p50Of(id, 0);
  expect(learned).toBeLessThan(400 * SECOND_MS);
  await forecasts.stop();
  forecasts = create();
  forecasts.start();
  expect(await p50Of(id, 0)).toBe(learned);
  await forecasts.stop();
  memory.text = `{"version":1,"kinds":{"runs false 0":{"p50":{"counts":[1],"total":2}}}}`;
  forecasts = create();
  forecasts.start();
  expect(await p50Of(id, 0)).toBeGreaterThan(learned ?? 0);
});

test("long works take turns, and one that fails says so and stops nobody", async () => {
  const turns: string[] = [];
  // Each look at the clock is later than a turn may last.
  time.monotonicMs = () => (ticks += 10);
  let ticks = 0;
  function* work(name: string, steps: number): Generator<void, string> {
    for (let step = 0; step < steps; step += 1) {
      turns.push(name);
      yield;
    }
    if (name === "c") throw new Error("a bug");
    return name;
  }
  const done = Promise.allSettled([
    forecasts.inTurns(() => work("a", 3)),
    forecasts.inTurns(() => work("b", 2)),
    forecasts.inTurns(() => work("c", 1)),
  ]);
  expect((await done).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(turns.join("")).toBe("aabcab");
});

test("errors are metrics: how far, on which side, and by which mark", async () => {
  const metrics = new MetricsRegistry(() => 0);
  const observe = forecastMetrics(metrics);
  observe({ lateMs: -90 * SECOND_MS, isByP50: true, isByP90: true });
  observe({ lateMs: 400 * SECOND_MS, isByP50: false, isByP90: true });
  observe({ lateMs: 4_000 * SECOND_MS, isByP50: false, isByP90: false });
  const text = await metrics.render("prometheus");
  expect(text).toContain('trainyard_start_forecasts_total{by="p50"} 1');
  expect(text).toContain('trainyard_start_forecasts_total{by="p90"} 1');
  expect(text).toContain('trainyard_start_forecasts_total{by="later"} 1');
  expect(text).toContain('trainyard_start_forecast_error_seconds_sum{start="late"} 4400');
  expect(text).toContain('trainyard_start_forecast_error_seconds_bucket{le="60",start="early"} 0');
});
