import fc from "fast-check";
import { expect, test } from "vitest";
import { HOUR_MS } from "../base/time.ts";
import { LoopClock } from "./loop-clock.ts";

function world(notBeforeMs = 0) {
  const hands = { wallMs: 1_000_000, monotonicMs: 50 };
  const told: number[] = [];
  const clock = new LoopClock({
    source: { nowMs: () => hands.wallMs, monotonicMs: () => hands.monotonicMs },
    notBeforeMs,
    onSkew: (skewMs) => told.push(skewMs),
  });
  const pass = (ms: number): void => {
    hands.wallMs += ms;
    hands.monotonicMs += ms;
  };
  return { hands, told, clock, pass };
}

test("a clock that runs right is followed to the millisecond", () => {
  const { clock, pass, hands, told } = world();
  for (let step = 0; step < 100; step += 1) {
    pass(7);
    expect(clock.nowMs()).toBe(hands.wallMs);
  }
  expect(told).toEqual([]);
});

test("a jump ahead is approached at an eighth of real time and told once", () => {
  const { clock, pass, hands, told } = world();
  hands.wallMs += HOUR_MS;
  expect(clock.nowMs()).toBe(1_000_000);
  pass(8_000);
  expect(clock.nowMs()).toBe(1_009_000);
  expect(told).toEqual([HOUR_MS]);
  pass(9 * HOUR_MS);
  expect(clock.nowMs()).toBe(hands.wallMs);
});

test("a jump back slows time down and never turns it back", () => {
  const { clock, pass, hands, told } = world();
  hands.wallMs -= HOUR_MS;
  expect(clock.nowMs()).toBe(1_000_000);
  pass(8_000);
  expect(clock.nowMs()).toBe(1_007_000);
  expect(told).toEqual([-HOUR_MS]);
  pass(9 * HOUR_MS);
  expect(clock.nowMs()).toBe(hands.wallMs);
  hands.wallMs -= HOUR_MS;
  clock.nowMs();
  expect(told).toEqual([-HOUR_MS, -HOUR_MS]);
});

test("after a restart time goes on from the newest event, though the wall clock is behind it", () => {
  const { clock, pass } = world(2_000_000);
  expect(clock.nowMs()).toBe(2_000_000);
  pass(8);
  expect(clock.nowMs()).toBe(2_000_007);
});

test("whatever the wall clock does, time never goes back", () => {
  const move = fc.record({
    wall: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
    elapsed: fc.double({ min: 0, max: 10_000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(move), (moves) => {
      const { clock, hands } = world();
      let last = clock.nowMs();
      for (const { wall, elapsed } of moves) {
        hands.wallMs += wall;
        hands.monotonicMs += elapsed;
        const now = clock.nowMs();
        expect(now).toBeGreaterThanOrEqual(last);
        expect(now - last).toBeLessThanOrEqual(elapsed * 1.125 + 1);
        last = now;
      }
    }),
  );
});
