import { afterEach, beforeEach, expect, test } from "vitest";
import { Fault } from "../base/errors.ts";
import { type Digest, digest, jobId } from "../base/ids.ts";
import { createLogger } from "../obs/log.ts";
import { until } from "../rpc/fixture.ts";
import { CheckpointCommitter, type CheckpointObjects } from "./committer.ts";
import type { ObservedTask } from "./core/commands.ts";
import { CRASHED } from "./core/fixture.ts";
import { resumePoint } from "./core/job.ts";
import { TestBrain, TestTime } from "./service-fixture.ts";

const JOB = jobId("job-1");

/** Remembers what was asked; fails with what is in `faults` first. */
class TestObjects implements CheckpointObjects {
  readonly committed: string[] = [];
  readonly removed: string[] = [];
  faults: Fault[] = [];
  removeFaults: Fault[] = [];

  commit({ checkpointId }: { readonly checkpointId: string }): Promise<Digest> {
    const fault = this.faults.shift();
    if (fault !== undefined) return Promise.reject(fault);
    this.committed.push(checkpointId);
    return Promise.resolve(digest(`manifest of ${checkpointId}`));
  }

  remove({ checkpointId }: { readonly checkpointId: string }): Promise<void> {
    const fault = this.removeFaults.shift();
    if (fault !== undefined) return Promise.reject(fault);
    this.removed.push(checkpointId);
    return Promise.resolve();
  }
}

let brain: TestBrain;
let time: TestTime;
let objects: TestObjects;
let committer: CheckpointCommitter;

beforeEach(() => {
  brain = new TestBrain();
  brain.world.nodes(2, 1);
  brain.world.submit({ nodes: 2, restartsMax: 1, checkpoint: { keep: 2, patterns: [] } });
  brain.plan();
  brain.world.run();
  time = new TestTime();
  objects = new TestObjects();
  committer = makeCommitter();
});

afterEach(() => committer.stop());

function makeCommitter(): CheckpointCommitter {
  const logger = createLogger({ level: "silent", name: "test", style: "json" });
  return new CheckpointCommitter({ brain, objects, timers: time, logger });
}

/** The task of a rank stores its part of a step. */
function store(rank: number, step: number): void {
  const part = { step, takenAtMs: 1, digest: digest(`${step}-${rank}`), sizeBytes: 1 };
  const parts = [{ ...part, uploadedBytes: 1 }];
  brain.world.report(`node-${rank + 1}`, (task: ObservedTask) => ({ ...task, parts }));
  brain.publish();
}

const states = (): readonly string[] =>
  brain.world.job(JOB).checkpoints.map(({ step, state }) => `${step} ${state}`);

test("a checkpoint is committed once every rank has stored its part", async () => {
  committer.start();
  store(0, 10);
  await new Promise((resolve) => setImmediate(resolve));
  expect(objects.committed).toEqual([]);
  store(1, 10);
  await until(() => states()[0] === "10 committed", "the commit");
  expect(objects.committed).toEqual(["job-1/000000000010-1"]);
});

test("what was whole before the start is committed at the start", async () => {
  store(0, 10);
  store(1, 10);
  committer.start();
  await until(() => objects.committed.length === 1, "the commit");
  expect(objects.committed).toEqual(["job-1/000000000010-1"]);
});

test("a store that is away delays the commit and loses nothing", async () => {
  objects.faults = [1, 2, 3].map(() => new Fault("STORE_UNAVAILABLE", "away"));
  committer.start();
  store(0, 10);
  store(1, 10);
  await until(() => {
    time.advance(1_000);
    return states()[0] === "10 committed";
  }, "the commit");
  expect(objects.faults).toEqual([]);
});

test("a checkpoint that can never be whole is rejected, with the reason", async () => {
  objects.faults = [new Fault("STORE_CORRUPT", "a blob is missing", { isRetryable: false })];
  committer.start();
  store(0, 10);
  store(1, 10);
  await until(() => states()[0] === "10 rejected", "the rejection");
  expect(brain.world.log.at(-1)?.event).toMatchObject({ why: "a blob is missing" });
});

test("the newest are kept, older ones go from the state and then from the store", async () => {
  committer.start();
  for (const step of [10, 20, 30, 40]) {
    store(0, step);
    store(1, step);
    await until(() => states().includes(`${step} committed`), `step ${step}`);
  }
  await until(() => objects.removed.length === 2, "the deletions");
  expect(states()).toEqual(["30 committed", "40 committed"]);
  expect(objects.removed).toEqual(["job-1/000000000010-1", "job-1/000000000020-1"]);
  expect(resumePoint(brain.world.job(JOB))?.step).toBe(40);
});

test("what the running attempt restores from is never deleted", async () => {
  committer.start();
  store(0, 10);
  store(1, 10);
  await until(() => states()[0] === "10 committed", "the first commit");
  brain.world.end(JOB, CRASHED);
  brain.world.nowMs += 60_000;
  brain.plan();
  brain.world.run();
  expect(brain.world.job(JOB).phase).toMatchObject({ attempt: { number: 2 } });
  for (const step of [20, 30, 40]) {
    store(0, step);
    store(1, step);
    await until(() => states().includes(`${step} committed`), `step ${step}`);
  }
  await until(() => objects.removed.length === 1, "the deletion");
  expect(states()).toEqual(["10 committed", "30 committed", "40 committed"]);
});

test("a step that some ranks skipped goes when a higher one is committed, and stays gone", async () => {
  committer.start();
  store(0, 10);
  store(0, 20);
  store(1, 20);
  await until(() => objects.removed.length === 1, "the deletion");
  expect(objects.removed).toEqual(["job-1/000000000010-1"]);
  store(0, 10); // Agents report what they stored again and again.
  expect(states()).toEqual(["20 committed"]);
});

test("a deletion that cannot be carried out keeps no newer checkpoint from its commit", async () => {
  const fault = new Fault("STORE_CORRUPT", "a retained part is unreadable", { isRetryable: false });
  objects.removeFaults = Array.from({ length: 100 }, () => fault);
  committer.start();
  for (const step of [10, 20, 30, 40]) {
    store(0, step);
    store(1, step);
    await until(() => states().includes(`${step} committed`), `step ${step}`);
  }
  expect(objects.removed).toEqual([]);
  objects.removeFaults = [];
  await until(() => {
    time.advance(60_000);
    return objects.removed.length === 2;
  }, "the deletions");
});

test("stopping waits for no loop that has failed and answers no more", async () => {
  brain.busy = new Promise(() => undefined);
  committer.start();
  store(0, 10);
  store(1, 10);
  await until(() => objects.committed.length === 1, "the manifest");
  await expect(committer.stop()).resolves.toBeUndefined();
});
