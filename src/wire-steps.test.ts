// From lines of a training's output to the scheduler's forecast, through the tracker's own store.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseMetricLine } from "./agent/core/metrics-lines.ts";
import type { JobId } from "./base/ids.ts";
import { MINUTE_MS, SECOND_MS } from "./base/time.ts";
import { explain } from "./scheduler/core/explain.ts";
import { TestBrain } from "./scheduler/service-fixture.ts";
import { StepForecasts } from "./scheduler/step-forecasts.ts";
import { Tracker } from "./tracker/tracker.ts";

let folder: string;
let tracker: Tracker;
let brain: TestBrain;
let steps: StepForecasts;
let id: JobId;
let position: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trainyard-steps-"));
  brain = new TestBrain();
  brain.world.nodes(1, 1);
  const param = (runId: string, name: string): string | undefined => {
    const view = tracker.getRun(runId);
    return "run" in view ? view.run.params.get(name) : undefined;
  };
  const onFault = (error: unknown): void => expect.fail(String(error));
  steps = new StepForecasts({ brain, param, onFault });
  steps.start();
  tracker = await Tracker.open({
    folder,
    clock: { nowMs: () => brain.nowMs(), monotonicMs: () => 0 },
    ids: () => "id",
    onBatch: (batch) => steps.onPoints(batch),
  });
  id = brain.world.submit();
  brain.plan();
  brain.world.run();
  position = 0;
});

afterEach(async () => {
  steps.stop();
  await tracker.close();
  await rm(folder, { recursive: true });
});

/** The agent's side: lines that rank 0 prints now. */
async function print(...lines: readonly object[]): Promise<void> {
  const points = lines.flatMap((line) => parseMetricLine(JSON.stringify(line), brain.nowMs()));
  const metrics = [...new Set(points.map(({ metric }) => metric))];
  const fromPosition = position;
  position += 100;
  await tracker.storeBatch({
    runId: id,
    attempt: 1,
    source: `${id}/1/0`,
    fromPosition,
    toPosition: position,
    metrics,
    points: {
      metric: points.map(({ metric }) => metrics.indexOf(metric)),
      step: points.map(({ step }) => step),
      timestampMs: points.map(({ timestampMs }) => timestampMs),
      value: points.map(({ value }) => value),
    },
  });
  // A command takes effect in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Steps `from` to `to`, each a second long, each printed. */
async function train(from: number, to: number, more: object = {}): Promise<void> {
  for (let step = from; step <= to; step += 1) {
    brain.world.nowMs += SECOND_MS;
    await print({ step, loss: 1, ...more });
  }
}

const told = (): number | null => brain.state().jobs.get(id)?.forecast?.remainingMs ?? null;

test("steps that say how many there will be become a forecast, once they moved", async () => {
  await train(0, 19, { steps_total: 3_600 });
  expect(told()).toBeNull();
  await train(20, 21, { steps_total: 3_600 });
  expect(told()).toBe(3_580 * SECOND_MS);
  const { state, nowMs } = brain.world;
  const { lines } = explain({ state, nowMs, starts: null, left: null }, id, null);
  expect(lines).toContainEqual(expect.stringMatching(/^Going by its steps, it will run for /));
  const { length } = brain.executed;
  await train(22, 200, { steps_total: 3_600 });
  expect(brain.executed.length, "as foreseen: nothing to tell").toBe(length);
  await train(201, 270, { steps_total: 10_000 });
  expect(brain.executed.length, "three times as many: told once").toBe(length + 1);
  expect(told()).toBeGreaterThan(9_000 * SECOND_MS);
});

test("a param of the run says it as well; without either nothing is told", async () => {
  await train(0, 30);
  expect(told()).toBeNull();
  const params = new Map([["max_steps", "1000"]]);
  await tracker.updateRun("r1", id, { status: null, params, tags: new Map() });
  await train(31, 31);
  expect(told()).toBe(969 * SECOND_MS);
});

test("what an earlier attempt still says, or a run that is no job, is not listened to", async () => {
  const batch = {
    metrics: ["steps_total"],
    points: { metric: [0], step: [1], timestampMs: [1], value: [9] },
  };
  steps.onPoints({ runId: id, attempt: 7, ...batch });
  steps.onPoints({ runId: "a-run", attempt: 1, ...batch });
  brain.world.nowMs += MINUTE_MS;
  expect(brain.executed).toEqual([]);
});
