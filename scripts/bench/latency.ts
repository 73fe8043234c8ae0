// How long a user waits on an idle cluster: from the submit call to the first instruction of the
// job's own program, which is `date` and writes when that was. Nothing is subtracted: the call, the
// durable log, the plan, the agent, the supervisor, and the start of `date` itself are all in it.

import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { wallClock } from "./clock.ts";
import { MAIN, type SchedulerProcess, startAgent, startScheduler, waitForNodes } from "./daemon.ts";
import { type Command, outputsOf, submission, waitForPhase } from "./jobs.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const NODES = 4;
const WARM_UP = 3;
const SINGLES = 40;
const GANGS = 20;
const CLI_CALLS = 8;
/** After a job the agents get their next supervisors ready; an idle cluster has them. */
const IDLE_MS = 600;
/** `date` is over long before: asking while it starts would slow it down. */
const RUN_MS = 100;

export const CLOCK_COMMAND = ["/bin/date", "+%s%N"] as const;

const { SubmitJob } = decodeService("JobService");

export const latencyBench: Bench = {
  name: "latency",
  summary: "submit to the task's first process, one node and a gang of four",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const scheduler = await startIdleCluster(stage);
  const command = { argv: CLOCK_COMMAND };
  const gang = { argv: CLOCK_COMMAND, nodes: NODES };
  await repeat(WARM_UP, () => submitAndTime(scheduler, gang));
  const singles = await repeat(SINGLES, () => submitAndTime(scheduler, command));
  const gangs = await repeat(GANGS, () => submitAndTime(scheduler, gang));
  const calls = await repeat(CLI_CALLS, () => callAndTime(scheduler));
  reportStarts("submit to the task's process started, one node", 15, singles, {
    cliStartToProcessP50: median(calls.map((call) => call.startedMs)),
    cliStartToExitP50: median(calls.map((call) => call.returnedMs)),
  });
  reportStarts("submit to the last process started, gang of 4 nodes", 30, gangs, {});
}

/** A scheduler and agents with nothing to do, that have a supervisor ready. */
export async function startIdleCluster(stage: Stage): Promise<SchedulerProcess> {
  const dir = await stage.tempDir();
  const scheduler = await startScheduler(stage, { dir });
  for (let n = 1; n <= NODES; n += 1) {
    startAgent(stage, scheduler, { dir, name: `node-${n}`, virtualGpus: 8 });
  }
  await waitForNodes(scheduler.connection, NODES);
  await pause(1_000);
  return scheduler;
}

export interface Start {
  /** From the call to the last task's process. */
  readonly startedMs: number;
  /** From the call to its answer. */
  readonly returnedMs: number;
}

export async function submitAndTime(
  { connection }: SchedulerProcess,
  command: Command,
): Promise<Start> {
  const clock = wallClock();
  const request = submission(command);
  const sentAtMs = clock();
  const { jobId } = await connection.unary(SubmitJob, request);
  const returnedMs = clock() - sentAtMs;
  await pause(RUN_MS);
  await waitForPhase(connection, jobId, "SUCCEEDED");
  const starts = (await outputsOf(connection, jobId)).map(parseNanoseconds);
  if (starts.length !== (command.nodes ?? 1)) {
    throw new Error(`${jobId} wrote ${starts.length} times`);
  }
  return { startedMs: Math.max(...starts) - sentAtMs, returnedMs };
}

/** The same through the command line: Node's own start is in it. */
export async function callAndTime({ grpc, connection }: SchedulerProcess): Promise<Start> {
  const clock = wallClock();
  const flags = ["--server", grpc, "--user", "bench", "--no-code", "--gpus", "1", "-o", "name"];
  const argv = [MAIN, "submit", ...flags, "--", ...CLOCK_COMMAND];
  const calledAtMs = clock();
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const returnedMs = clock() - calledAtMs;
  const jobId = stdout.trim();
  await waitForPhase(connection, jobId, "SUCCEEDED");
  const starts = (await outputsOf(connection, jobId)).map(parseNanoseconds);
  return { startedMs: Math.max(...starts) - calledAtMs, returnedMs };
}

export async function repeat<T>(count: number, act: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  for (let n = 0; n < count; n += 1) {
    results.push(await act());
    await pause(IDLE_MS);
  }
  return results;
}

/** What `date +%s%N` writes, as milliseconds since 1970. */
export function parseNanoseconds(text: string): number {
  const digits = /^\d{19}$/m.exec(text)?.[0];
  if (digits === undefined) throw new Error(`not the output of date: ${JSON.stringify(text)}`);
  return Number(BigInt(digits) / 1_000n) / 1_000;
}

function reportStarts(
  bench: string,
  atMost: number,
  starts: readonly Start[],
  details: Readonly<Record<string, number>>,
): void {
  const times = starts.map((start) => start.startedMs);
  report({
    bench: `${bench}, p50`,
    value: median(times),
    unit: "ms",
    limit: { atMost },
    details: {
      p90: quantile(times, 0.9),
      acknowledgedP50: median(starts.map((start) => start.returnedMs)),
      jobs: times.length,
      ...details,
    },
  });
}
