import { expect, test } from "vitest";
import { PlanPacer } from "./loop-planning.ts";

test("without a pass before, planning starts at once", () => {
  expect(new PlanPacer().waitMs(123)).toBe(0);
});

test("planning takes a third of the time at most", () => {
  const pacer = new PlanPacer();
  pacer.passed(100, 130);
  expect(pacer.waitMs(130)).toBe(60);
  expect(pacer.waitMs(189)).toBe(1);
  expect(pacer.waitMs(190)).toBe(0);
});

test("the pause after a very slow pass has an end", () => {
  const pacer = new PlanPacer();
  pacer.passed(0, 60_000);
  expect(pacer.waitMs(60_000)).toBe(1_000);
});

test("in a burst of commands planning takes a tenth of the time, and a third again after it", () => {
  const pacer = new PlanPacer();
  pacer.decided(64);
  pacer.passed(0, 10);
  expect(pacer.waitMs(10)).toBe(90);
  pacer.passed(100, 110);
  expect(pacer.waitMs(110)).toBe(20);
});
