import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "../../base/time.ts";
import { chargedUsage, usageTimeConstantMs } from "./usage.ts";

const WEEK_MS = 7 * DAY_MS;

test("past use counts half after a half-life", () => {
  expect(chargedUsage(1_000_000, 0, 0, WEEK_MS, WEEK_MS)).toBe(500_000);
});

test("what runs is charged as it runs", () => {
  expect(chargedUsage(0, 0, 4, 1, WEEK_MS)).toBe(4);
  expect(chargedUsage(0, 0, 8, HOUR_MS, WEEK_MS)).toBe(28_740_669);
});

test("the smallest use is kept however often it is charged", () => {
  let usage = 0;
  for (let now = 1; now <= 1_000; now += 1) usage = chargedUsage(usage, now - 1, 1, now, WEEK_MS);
  expect(usage).toBe(1_000);
});

test("charging in two steps is charging in one, up to rounding", () => {
  const once = chargedUsage(5_000_000, 0, 3, 9 * HOUR_MS, DAY_MS);
  const half = chargedUsage(5_000_000, 0, 3, 4 * HOUR_MS, DAY_MS);
  expect(Math.abs(chargedUsage(half, 4 * HOUR_MS, 3, 9 * HOUR_MS, DAY_MS) - once)).toBeLessThan(2);
});

test("steady use tends to the time constant for each GPU", () => {
  expect(chargedUsage(0, 0, 1, 1_000 * DAY_MS, DAY_MS)).toBe(usageTimeConstantMs(DAY_MS));
});

test("without a half-life nothing of the past counts", () => {
  expect(chargedUsage(1_000_000, 0, 8, HOUR_MS, 0)).toBe(0);
  expect(usageTimeConstantMs(0)).toBe(0);
});

test("a clock that ran backwards charges nothing", () => {
  expect(chargedUsage(777, 10_000, 8, 5_000, WEEK_MS)).toBe(777);
});
