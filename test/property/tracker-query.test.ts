// A query answers what the rules say, for any attempts that go back and forth in any order.

import fc from "fast-check";
import { expect, test } from "vitest";
import { comparePoints } from "../../src/tracker/core/latest.ts";
import type { Point } from "../../src/tracker/core/points.ts";
import { anyValue } from "./tracker-points.ts";
import { batchOf, TrackerWorld } from "./tracker-world.ts";

interface Sent {
  readonly attempt: number;
  readonly points: readonly Point[];
}

const point: fc.Arbitrary<Point> = fc.record({
  step: fc.integer({ min: -5, max: 60 }),
  timestampMs: fc.integer({ min: 0, max: 1_000 }),
  value: anyValue,
});

const sent: fc.Arbitrary<Sent> = fc.record({
  attempt: fc.nat(4),
  points: fc.array(point, { minLength: 1, maxLength: 40 }),
});

const range = fc.record({
  fromStep: fc.option(fc.integer({ min: -6, max: 61 })),
  toStep: fc.option(fc.integer({ min: -6, max: 61 })),
  includeSuperseded: fc.boolean(),
});

/** The rule read off its definition: no attempt that came later has a point at or before the step. */
function isCurrent(all: readonly Sent[], attempt: number, step: number): boolean {
  return !all.some((later) => later.attempt > attempt && later.points.some((p) => p.step <= step));
}

/** One text for each point, so that points of the same step may come in any order. */
function canonical(points: readonly Point[]): readonly string[] {
  return points.toSorted(comparePoints).map((p) => `${p.step} ${p.timestampMs} ${shown(p.value)}`);
}

function shown(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

test("a query gives the current points of its range, and the latest is the greatest of them", async () => {
  const batches = fc.array(sent, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(batches, range, async (all, asked) => {
      const world = new TrackerWorld();
      try {
        const tracker = await world.open();
        for (const [i, { attempt, points }] of all.entries()) {
          await tracker.storeBatch(batchOf({ from: 0, to: 1, points, attempt, source: `s${i}` }));
        }
        const query = { runId: "job-1", metric: "loss", points: 100_000, ...asked };
        const found = await tracker.queryMetric(query);
        if ("kind" in found) throw new Error(found.message);
        const { step, timestampMs, value, length } = found.points;
        const rows = Array.from({ length }, (_, i) => ({
          step: step[i] ?? 0,
          timestampMs: timestampMs[i] ?? 0,
          value: value[i] ?? 0,
        }));
        const current = all.flatMap(({ attempt, points }) =>
          points.filter((p) => isCurrent(all, attempt, p.step)),
        );
        const expected = (asked.includeSuperseded ? all.flatMap(({ points }) => points) : current)
          .filter((p) => p.step >= (asked.fromStep ?? -Infinity))
          .filter((p) => p.step <= (asked.toStep ?? Infinity));
        expect(canonical(rows)).toEqual(canonical(expected));
        expect(rows.map((p) => p.step)).toEqual(rows.map((p) => p.step).toSorted((a, b) => a - b));
        const latest = tracker.latestMetrics("job-1");
        expect(latest).toEqual([{ metric: "loss", point: current.toSorted(comparePoints).at(-1) }]);
      } finally {
        await world.remove();
      }
    }),
    { numRuns: 150 },
  );
});
