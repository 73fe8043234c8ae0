// kill -9 of a busy scheduler: 64 jobs run, 10,000 wait, and submits are under way when it dies. How
// long until it places again, counted from the start of its process; and what it forgot.

import { decodeService } from "../../src/rpc/loader.ts";
import type { SubmitJobRequest } from "../../src/rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import type { Connection } from "../../src/rpc/client.ts";
import type { Bench } from "./bench.ts";
import { startScheduler, until } from "./daemon.ts";
import { FakeAgent } from "./fake-agent.ts";
import { allJobIds, submission } from "./jobs.ts";
import { report } from "./report.ts";
import type { Stage } from "./stage.ts";

const NODES = 8;
const GPUS = 8;
const PENDING = 10_000;
const IN_FLIGHT = 64;
/** Acknowledged in the burst before the kill falls. */
const BURST_BEFORE_KILL = 300;
const { SubmitJob } = decodeService("JobService");

export const crashBench: Bench = {
  name: "crash",
  summary: "kill -9 of the scheduler with 10,000 pending jobs",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const dir = await stage.tempDir();
  const before = await startScheduler(stage, { dir });
  const { agents, placed } = startAgents(stage, before.grpc);
  const sender = new Sender(before.connection);
  await sender.send(NODES * GPUS + PENDING);
  await until("full nodes", () => agents.every((agent) => agent.taskCount === GPUS));
  await killDuringBurst(sender, () => before.end("SIGKILL"));
  // A task that ends while the scheduler is away makes room for one that waits.
  for (const agent of agents) agent.endOldest();
  const again = placed.next();
  const startedMs = performance.now();
  const after = await startScheduler(stage, { dir, grpc: before.grpc });
  const servingMs = performance.now() - startedMs;
  await again;
  report({
    bench: "kill -9 with 10,000 pending jobs: placing again after",
    value: (performance.now() - startedMs) / 1_000,
    unit: "s",
    limit: { atMost: 2 },
    details: { servingAfter: servingMs / 1_000, jobs: sender.acknowledged.size },
  });
  await reportLosses(after.connection, sender);
}

/** Every acknowledged job is there, and what was not acknowledged can be sent again without harm. */
async function reportLosses(connection: Connection, sender: Sender): Promise<void> {
  const known = new Set(await allJobIds(connection));
  const lost = [...sender.acknowledged.values()].filter((jobId) => !known.has(jobId));
  report({
    bench: "kill -9 during a burst: acknowledged jobs lost",
    value: lost.length,
    unit: "jobs",
    limit: { atMost: 0 },
    details: { acknowledged: sender.acknowledged.size, unanswered: sender.unanswered.length },
  });
  const ids = new Set(sender.acknowledged.values());
  for (const request of sender.unanswered) {
    ids.add((await connection.unary(SubmitJob, request)).jobId);
  }
  const there = (await allJobIds(connection)).length;
  report({
    bench: "kill -9 during a burst: jobs there twice after sending again",
    value: Math.abs(there - ids.size),
    unit: "jobs",
    limit: { atMost: 0 },
  });
}

interface Placements {
  /** Resolves with the next task that any agent is told of. */
  next(): Promise<void>;
}

function startAgents(
  stage: Stage,
  scheduler: string,
): { readonly agents: readonly FakeAgent[]; readonly placed: Placements } {
  let wake = (): void => undefined;
  const onTask = (): void => wake();
  const agents = Array.from({ length: NODES }, (_, n) => {
    const agent = new FakeAgent({ scheduler, node: `node-${n}`, gpus: GPUS, onTask });
    stage.onClear(() => agent.stop());
    agent.dial();
    return agent;
  });
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  return { agents, placed: { next } };
}

/** Submits, and remembers which were acknowledged. */
class Sender {
  /** Job by request id. */
  readonly acknowledged = new Map<string, string>();
  /** Requests whose call failed: nobody knows whether they were taken. */
  readonly unanswered: SubmitJobRequest[] = [];
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves when all were answered; with the first failure each sender stops. */
  async send(count: number): Promise<void> {
    let sent = 0;
    const worker = async (): Promise<void> => {
      while (sent < count) {
        sent += 1;
        if (!(await this.#sendOne())) return;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  async #sendOne(): Promise<boolean> {
    const request = submission({ argv: ["/bin/true"] });
    try {
      const { jobId } = await this.#connection.unary(SubmitJob, request);
      this.acknowledged.set(request.requestId ?? "", jobId);
      return true;
    } catch {
      this.unanswered.push(request);
      return false;
    }
  }
}

async function killDuringBurst(sender: Sender, kill: () => Promise<void>): Promise<void> {
  const wanted = sender.acknowledged.size + BURST_BEFORE_KILL;
  const burst = sender.send(Number.POSITIVE_INFINITY);
  await until("a burst", () => sender.acknowledged.size >= wanted);
  await kill();
  await burst;
}
