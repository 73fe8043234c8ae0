import fc from "fast-check";
import { expect, test } from "vitest";
import { clockOffset, closest, surelyApartMs } from "./clock-offset.ts";

test("the true offset lies within the error, however the round trip divides", () => {
  const time = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(time, time, fc.integer({ min: -1e9, max: 1e9 }), (thereMs, backMs, aheadMs) => {
      const askedAtMs = 1_700_000_000_000;
      const found = clockOffset({
        roundTripMs: thereMs + backMs,
        oursMs: askedAtMs + thereMs + backMs + aheadMs,
        theirsMs: askedAtMs + thereMs,
      });
      expect(Math.abs(found.aheadMs - aheadMs)).toBeLessThanOrEqual(found.errorMs);
      expect(surelyApartMs(found)).toBeLessThanOrEqual(Math.abs(aheadMs));
    }),
  );
});

test("of several readings the one with the shortest round trip counts", () => {
  const rough = { aheadMs: 900, errorMs: 800 };
  const fine = { aheadMs: 120, errorMs: 2 };
  expect(closest([rough, fine, rough])).toEqual(fine);
  expect(closest([])).toBeNull();
  expect([surelyApartMs(fine), surelyApartMs({ aheadMs: -3, errorMs: 5 })]).toEqual([118, 0]);
});
