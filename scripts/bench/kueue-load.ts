// The process that kueue.ts forks: the whole cluster of pretending agents, and everybody who submits.
// Arguments: the scheduler's address, the scenario's name. Sends the parent a `LoadResult`.

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "../../src/rpc/client.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import { connect, waitForNodes } from "./daemon.ts";
import { FakeAgent } from "./fake-agent.ts";
import {
  type Arrival,
  arrivalsOf,
  GPUS_PER_NODE,
  nodeCount,
  queuesOf,
  scenarioNamed,
  workloadCount,
} from "./kueue-scenarios.ts";

export interface LoadResult {
  /** From the first submission that was due to the last end that the scheduler knows of. */
  readonly seconds: number;
  readonly submitSeconds: number;
  /** Attempts that were stopped before their end, for another job. */
  readonly stopped: number;
  /** Mean seconds from the acknowledged submission to the first start, by class. */
  readonly waitSeconds: Readonly<Record<string, number>>;
}

/** Everybody who submits waits for the acknowledgement; together they have so many calls open. */
const IN_FLIGHT_MAX = 64;

const [scheduler = "", scenarioName = ""] = process.argv.slice(2);
const scenario = scenarioNamed(scenarioName);
const queueService = decodeService("QueueService");
const { SubmitJob } = decodeService("JobService");

/** By job. A job may start before its submitter hears of it. */
const startedMs = new Map<string, number>();
const submissions = new Map<string, { readonly atMs: number; readonly workload: string }>();
let finished = 0;
let stopped = 0;
let lastEndMs = 0;

process.once("disconnect", () => process.exit(0));
process.send?.(await run());

async function run(): Promise<LoadResult> {
  const connection = connect(scheduler);
  const queues = [...queuesOf(scenario)];
  const requestId = randomUUID();
  await connection.unary(queueService.ApplyQueues, { requestId, queues, prune: false });
  for (let n = 0; n < nodeCount(scenario); n += 1) startAgent(n);
  await waitForNodes(connection, nodeCount(scenario));
  const beginMs = performance.now();
  await submitAll(connection, beginMs);
  const submittedMs = performance.now();
  while (finished < workloadCount(scenario)) await pause(10);
  return {
    seconds: (lastEndMs - beginMs) / 1_000,
    submitSeconds: (submittedMs - beginMs) / 1_000,
    stopped,
    waitSeconds: meanWaits(),
  };
}

function startAgent(n: number): void {
  const agent = new FakeAgent({
    scheduler,
    node: `node-${n}`,
    gpus: GPUS_PER_NODE,
    onTask: (jobId) => {
      if (!startedMs.has(jobId)) startedMs.set(jobId, performance.now());
    },
    runMsOf: ([, seconds = "0"]) => Number(seconds) * 1_000,
    onOver: (isWell) => {
      if (isWell) finished += 1;
      else stopped += 1;
      lastEndMs = performance.now();
    },
  });
  agent.dial();
}

/** Each when it is due, or as soon after as a call is free. */
async function submitAll(connection: Connection, beginMs: number): Promise<void> {
  const arrivals = arrivalsOf(scenario);
  let next = 0;
  const submitter = async (): Promise<void> => {
    for (let arrival = arrivals[next]; arrival !== undefined; arrival = arrivals[next]) {
      next += 1;
      const earlyMs = beginMs + arrival.atMs - performance.now();
      if (earlyMs > 0) await pause(earlyMs);
      await submit(connection, arrival);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, submitter));
}

async function submit(connection: Connection, { queue, workload }: Arrival): Promise<void> {
  const { gpus, runMs, priorityClass } = workload;
  const exec = { argv: ["sleep", String(runMs / 1_000)] };
  const spec = { name: workload.name, queue, priorityClass, nodes: 1, perNode: { gpus }, exec };
  const { jobId } = await connection.unary(SubmitJob, { requestId: randomUUID(), spec });
  submissions.set(jobId, { atMs: performance.now(), workload: workload.name });
}

function meanWaits(): Record<string, number> {
  const sums = new Map<string, { count: number; ms: number }>();
  for (const [jobId, { atMs, workload }] of submissions) {
    const sum = sums.get(workload) ?? { count: 0, ms: 0 };
    sums.set(workload, sum);
    sum.count += 1;
    sum.ms += Math.max(0, (startedMs.get(jobId) ?? atMs) - atMs);
  }
  return Object.fromEntries([...sums].map(([name, { count, ms }]) => [name, ms / count / 1_000]));
}
