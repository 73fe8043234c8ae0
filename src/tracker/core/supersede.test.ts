import fc from "fast-check";
import { expect, test } from "vitest";
import { supersedeCuts } from "./supersede.ts";

test("an attempt that goes back to step 50 supersedes what was done from 50 on", () => {
  const attempts = [
    { attempt: 1, stepMin: 0 },
    { attempt: 2, stepMin: 50 },
  ];
  expect(supersedeCuts(attempts)).toEqual([50, Infinity]);
});

test("a third attempt that goes back further also cuts the second", () => {
  const attempts = [
    { attempt: 1, stepMin: 0 },
    { attempt: 2, stepMin: 50 },
    { attempt: 5, stepMin: 20 },
  ];
  expect(supersedeCuts(attempts)).toEqual([20, 20, Infinity]);
});

test("a step is current in exactly one attempt or in none before the first step of a later one", () => {
  const attempts = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(attempts, fc.integer({ min: 0, max: 60 }), (starts, step) => {
      const rows = starts.map((stepMin, i) => ({ attempt: i + 1, stepMin }));
      const isCurrent = supersedeCuts(rows).map((cut) => step < cut);
      const byRule = rows.map((_, i) => rows.slice(i + 1).every(({ stepMin }) => stepMin > step));
      expect(isCurrent).toEqual(byRule);
    }),
  );
});
