// What a reservation promises, where jobs run for just as long as was said of them: the gang that heads its
// queue starts no later than it was first told, however many smaller jobs come behind it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { must } from "../../src/base/assert.ts";
import type { JobId } from "../../src/base/ids.ts";
import { MINUTE_MS } from "../../src/base/time.ts";
import { World } from "../../src/scheduler/core/fixture.ts";
import { invariants } from "../../src/scheduler/core/invariants.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 60);

interface Arrival {
  readonly afterMin: number;
  readonly nodes: number;
  readonly gpus: number;
  readonly runMin: number;
  readonly cpuMilli: number;
}

const arrivals = fc.array(
  fc.record({
    afterMin: fc.constantFrom(0, 0, 1, 2, 5, 20),
    nodes: fc.constantFrom(1, 1, 1, 1, 2, 3, 4),
    gpus: fc.constantFrom(1, 1, 2, 3, 4),
    runMin: fc.integer({ min: 1, max: 90 }),
    cpuMilli: fc.constantFrom(0, 0, 0, 8_000, 40_000),
  }),
  { minLength: 20, maxLength: 60, size: "max" },
);

const BACKFILL = { isPreemptionEnabled: false, claimsMax: 1, gangPatienceMs: 0 };

interface Outcome {
  /** The first start that others were told of, by the gang that they waited for. */
  readonly promises: ReadonlyMap<JobId, number>;
  readonly starts: ReadonlyMap<JobId, number>;
  readonly submitted: number;
}

function runAll(stream: readonly Arrival[]): Outcome {
  const world = new World(undefined, BACKFILL).nodes(4, 4);
  const promises = new Map<JobId, number>();
  const starts = new Map<JobId, number>();
  const ends = new Map<JobId, number>();
  let next = 0;
  let dueMs = world.nowMs;
  while (next < stream.length || ends.size > 0) {
    world.nowMs = Math.min(next < stream.length ? dueMs : Number.MAX_VALUE, ...ends.values());
    for (const [id, endMs] of ends) {
      if (endMs > world.nowMs) continue;
      world.end(id);
      ends.delete(id);
    }
    for (; next < stream.length && dueMs <= world.nowMs; next += 1) {
      const { nodes, gpus, runMin, cpuMilli } = must(stream[next], "arrival");
      const perNode = { gpus, cpuMilli, memoryMib: 0 };
      const jobId = world.submit({ nodes, perNode });
      world.must({ kind: "job.forecast", jobId, remainingMs: runMin * MINUTE_MS });
      dueMs += (stream[next + 1]?.afterMin ?? 0) * MINUTE_MS;
    }
    const { starts: begun, holds } = world.plan();
    for (const { jobId } of begun) {
      starts.set(jobId, world.nowMs);
      ends.set(jobId, world.nowMs + must(world.job(jobId).forecast, "forecast").remainingMs);
    }
    world.run();
    for (const [, hold] of holds) {
      if (hold.code !== "RESERVED_FOR_OTHER" || promises.has(hold.holder)) continue;
      promises.set(hold.holder, must(hold.untilMs, "a start that is known"));
    }
    expect(invariants(world.state)).toEqual([]);
  }
  return { promises, starts, submitted: stream.length };
}

test("a gang starts no later than it was first expected to, and nobody waits for ever", () => {
  console.log(`seed ${SEED}, ${RUNS} streams`);
  let promised = 0;
  fc.assert(
    fc.property(arrivals, (stream) => {
      const { promises, starts, submitted } = runAll(stream);
      expect(starts.size).toBe(submitted);
      promised += promises.size;
      for (const [id, promisedMs] of promises) {
        expect(must(starts.get(id), id)).toBeLessThanOrEqual(promisedMs);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  expect(promised).toBeGreaterThan(RUNS);
});
