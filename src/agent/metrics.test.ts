import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Fault } from "../base/errors.ts";
import { desiredTask } from "./core/fixture.ts";
import { MetricShipper } from "./metrics.ts";
import type { AgentLog, MetricBatch, MetricSink } from "./ports.ts";
import { TaskFolder } from "./task-folder.ts";

/** The tracker's rule: a batch counts only when it begins where the last one ended. */
class FakeTracker implements MetricSink {
  readonly values: number[] = [];
  stored = 0;
  isAway = false;
  refusal = "";
  readonly batches: MetricBatch[] = [];

  position(): Promise<number> {
    return this.isAway ? Promise.reject(away()) : Promise.resolve(this.stored);
  }

  store(batch: MetricBatch): Promise<{ position: number; error: string }> {
    if (this.isAway) return Promise.reject(away());
    this.batches.push(batch);
    if (batch.fromPosition === this.stored) {
      this.stored = batch.toPosition;
      if (this.refusal === "") this.values.push(...batch.points.map((point) => point.value));
    }
    return Promise.resolve({ position: this.stored, error: this.refusal });
  }
}

const away = () => new Fault("STORE_UNAVAILABLE", "tracker away");
const task = desiredTask();
let stateDir: string;
let folder: TaskFolder;
let tracker: FakeTracker;
let warnings: string[];
let shippers: MetricShipper[];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-metrics-"));
  folder = new TaskFolder(stateDir, task);
  folder.make();
  tracker = new FakeTracker();
  warnings = [];
  shippers = [];
});
afterEach(() => {
  for (const shipper of shippers) shipper.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

const print = (text: string) => appendFileSync(folder.file("stdout"), text);
const point = (step: number) => `{"step": ${step}, "loss": ${step}}\n`;

function ship(): { shipper: MetricShipper; isShipped: () => boolean } {
  const log: AgentLog = {
    info: () => undefined,
    warn: (_fields, message) => void warnings.push(message),
    error: () => undefined,
  };
  let isShipped = false;
  const ports = { metrics: tracker, log, random: () => 0 };
  const shipper = new MetricShipper(folder, task, ports, () => {
    isShipped = true;
  });
  shippers.push(shipper);
  shipper.start();
  return { shipper, isShipped: () => isShipped };
}

const until = (look: () => void) => vi.waitFor(look, { timeout: 10_000, interval: 10 });

test("points go to the tracker as they are printed, and the last one when the task is over", async () => {
  print(`starting\n${point(1)}`);
  const { shipper, isShipped } = ship();
  await until(() => expect(tracker.values).toEqual([1]));
  print('{"step": 2, "lo');
  print('ss": 2}\nnoise\n{"step": 3, "loss": 3}');
  await until(() => expect(tracker.values).toEqual([1, 2]));
  shipper.finish();
  await until(() => expect(isShipped()).toBe(true));
  expect(tracker.values).toEqual([1, 2, 3]);
});

test("a restart goes on from what the tracker has: nothing twice, nothing lost", async () => {
  print(point(1));
  const first = ship();
  await until(() => expect(tracker.values).toEqual([1]));
  first.shipper.stop();
  print(point(2));
  const second = ship();
  second.shipper.finish();
  await until(() => expect(second.isShipped()).toBe(true));
  expect(tracker.values).toEqual([1, 2]);
});

test("while the tracker is away the file keeps the points", async () => {
  tracker.isAway = true;
  const { shipper, isShipped } = ship();
  shipper.finish();
  for (let step = 1; step <= 100; step += 1) print(point(step));
  await until(() => expect(warnings).toEqual(["metrics wait for the tracker"]));
  expect(isShipped()).toBe(false);
  tracker.isAway = false;
  await until(() => expect(isShipped()).toBe(true));
  expect(tracker.values).toHaveLength(100);
});

test("batches leave no gap, whatever else was printed", async () => {
  for (let step = 1; step <= 20; step += 1) print(`${"x".repeat(60_000)}\n${point(step)}`);
  const { shipper, isShipped } = ship();
  shipper.finish();
  await until(() => expect(isShipped()).toBe(true));
  expect(tracker.values).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  for (const [index, batch] of tracker.batches.entries()) {
    expect(batch.fromPosition).toBe(tracker.batches[index - 1]?.toPosition ?? 0);
  }
});

test("a line without an end does not hold up what follows it", async () => {
  print("y".repeat(1_000_000));
  print(`\n${point(1)}`);
  const { shipper, isShipped } = ship();
  shipper.finish();
  await until(() => expect(isShipped()).toBe(true));
  expect(tracker.values).toEqual([1]);
});

test("what the tracker refuses for good is dropped with a warning, and the rest goes on", async () => {
  tracker.refusal = "unknown run";
  print(point(1));
  const { shipper, isShipped } = ship();
  shipper.finish();
  await until(() => expect(isShipped()).toBe(true));
  expect(warnings).toEqual(["the tracker refused metrics: dropped"]);
});
