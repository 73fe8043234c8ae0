import { expect, test } from "vitest";
import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { World } from "./fixture.ts";
import { ForecastErrors } from "./forecast-errors.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { StartForecast } from "./start-forecast.ts";

const HOUR: StartForecast = { p50Ms: HOUR_MS, p90Ms: 2 * HOUR_MS, gap: null, basis: "runs" };

/** A job and what is told of it after `waits`, of which each was told `raw` before. */
function toldAfter(waits: readonly number[], raw = HOUR): StartForecast {
  const world = new World();
  const errors = new ForecastErrors();
  const submit = (): Job => jobOf(world.state, world.submit());
  for (const waitedMs of waits) {
    const job = submit();
    errors.tell(job, raw, 0);
    errors.started(job.id, waitedMs);
  }
  const starts = { nowMs: 0, of: () => raw, turnOf: () => null };
  return must(errors.correct(starts).of(submit(), 0), "a forecast");
}

const times = (count: number, waitedMs: number): readonly number[] =>
  Array.from({ length: count }, () => waitedMs);

test("until anything is learned the median is told as it is, and the late end later", () => {
  const { p50Ms, p90Ms } = toldAfter([]);
  expect(p50Ms).toBe(HOUR_MS);
  expect(p90Ms).toBeGreaterThan(3 * HOUR_MS);
  expect(p90Ms).toBeLessThan(5.5 * HOUR_MS);
});

test("who waits twice as long as told moves the next medians, and the late ends to the latest", () => {
  const { p50Ms, p90Ms } = toldAfter([...times(80, 2 * HOUR_MS), ...times(20, 10 * HOUR_MS)]);
  expect(p50Ms).toBeGreaterThan(1.8 * HOUR_MS);
  expect(p50Ms).toBeLessThan(2.4 * HOUR_MS);
  expect(p90Ms).toBeGreaterThan(8 * HOUR_MS);
  expect(p90Ms).toBeLessThan(13 * HOUR_MS);
});

test("what is learned of near starts says nothing of far ones", () => {
  const near: StartForecast = { ...HOUR, p50Ms: MINUTE_MS, p90Ms: 2 * MINUTE_MS };
  const world = new World();
  const errors = new ForecastErrors();
  for (let n = 0; n < 50; n += 1) {
    const job = jobOf(world.state, world.submit());
    errors.tell(job, near, 0);
    errors.started(job.id, HOUR_MS);
  }
  const starts = { nowMs: 0, of: () => HOUR, turnOf: () => null };
  const job = jobOf(world.state, world.submit());
  expect(errors.correct(starts).of(job, 0)?.p50Ms).toBe(HOUR_MS);
});

test("an error is held against what was told first, and told once", () => {
  const errors = new ForecastErrors();
  const world = new World();
  const [a, b, c] = [world.submit(), world.submit(), world.submit()];
  const tell = (id: JobId, raw: StartForecast, atMs: number): void =>
    errors.tell(jobOf(world.state, id), raw, atMs);
  tell(a, HOUR, 0);
  tell(a, { ...HOUR, p50Ms: MINUTE_MS }, HOUR_MS / 2);
  tell(b, HOUR, 0);
  tell(c, HOUR, 0);
  expect(errors.started(a, HOUR_MS / 2)).toEqual({
    lateMs: -HOUR_MS / 2,
    isByP50: true,
    isByP90: true,
  });
  expect(errors.started(a, HOUR_MS)).toBeNull();
  expect(errors.started(b, 24 * HOUR_MS)).toEqual({
    lateMs: 23 * HOUR_MS,
    isByP50: false,
    isByP90: false,
  });
  errors.forget(c);
  expect(errors.started(c, HOUR_MS)).toBeNull();
});
