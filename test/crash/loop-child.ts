// For tests: a scheduler's writer loop in a process of its own, under load, that dies where it is told
// to. Arguments: folder, crash point or `none`, how often it is passed before, events kept.
// Prints a line for each acknowledgement: `submitted job-1`, `cancelled job-1`.

import { writeSync } from "node:fs";
import { jobId } from "../../src/base/ids.ts";
import { createLogger } from "../../src/obs/log.ts";
import type { Command } from "../../src/scheduler/core/commands.ts";
import { DEFAULT_LOOP_LIMITS, SchedulerLoop } from "../../src/scheduler/loop.ts";
import { openSchedulerStore } from "../../src/scheduler/loop-store.ts";
import { REAL_TIMERS } from "../../src/scheduler/loop-timers.ts";
import { CRASH_POINTS, dieAt } from "../../src/store/crash-points.ts";
import { accept, furnish, submit } from "./loop-fixtures.ts";

const [folder = "", pointName = "none", passes = "1", eventsKept = "1000000"] =
  process.argv.slice(2);
const WORKERS = 8;

const store = await openSchedulerStore({ folder, onWarning: (text) => console.error(text) });
const loop = new SchedulerLoop({
  store,
  policy: null,
  clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
  timers: REAL_TIMERS,
  observer: { batchDone: () => undefined, planDone: () => undefined },
  logger: createLogger({ level: "warn", name: "child", style: "json" }),
  onFatal: (error) => {
    console.error(error);
    process.exit(3);
  },
  limits: {
    ...DEFAULT_LOOP_LIMITS,
    snapshotEveryEvents: 60,
    eventsKeptMax: Number(eventsKept),
  },
});
await loop.start();
if (loop.state().queues.size === 0) await furnish(loop, 2);
const point = CRASH_POINTS.find((candidate) => candidate === pointName);
if (point !== undefined) dieAt(point, Number(passes));
await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));

/** Submits for ever, and cancels every third job. */
async function work(worker: number): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const { jobId: id } = await accept(loop, submit(`w${worker}-${turn}`));
    writeSync(1, `submitted ${id}\n`);
    if (turn % 3 !== 0 || id === null) continue;
    const cancel: Command = { kind: "job.cancel", jobId: jobId(id), why: "test" };
    await accept(loop, cancel);
    writeSync(1, `cancelled ${id}\n`);
  }
}
