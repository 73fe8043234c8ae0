// What Trainyard takes from a machine that trains: an agent that has nothing to do, and the supervisor
// that every running task has beside it.

import { setTimeout as pause } from "node:timers/promises";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { startAgent, startScheduler, waitForNodes } from "./daemon.ts";
import { submission, waitForPhase } from "./jobs.ts";
import { childrenOf, cpuShare, residentMb } from "./proc.ts";
import { report } from "./report.ts";
import type { Stage } from "./stage.ts";

const SETTLE_MS = 3_000;
const MEASURE_MS = 20_000;
/** Ends by itself, should this bench be killed. */
const TASK = ["/bin/sleep", "30"] as const;
const { SubmitJob, CancelJob } = decodeService("JobService");

export const footprintBench: Bench = {
  name: "footprint",
  summary: "memory and CPU of an idle agent, memory of a supervisor",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const dir = await stage.tempDir();
  const scheduler = await startScheduler(stage, { dir });
  const agent = startAgent(stage, scheduler, { dir, name: "node-1", virtualGpus: 8 });
  const { connection } = scheduler;
  await waitForNodes(connection, 1);
  await pause(SETTLE_MS);
  report({
    bench: "idle agent, CPU over 20 s",
    value: (await cpuShare(agent, MEASURE_MS)) * 100,
    unit: "% of a core",
    limit: { atMost: 1 },
  });
  report({
    bench: "idle agent, memory",
    value: residentMb(agent),
    unit: "MB",
    limit: { atMost: 120 },
  });
  const { jobId } = await connection.unary(SubmitJob, submission({ argv: TASK }));
  await waitForPhase(connection, jobId, "RUNNING");
  await pause(SETTLE_MS);
  // The task's own, and the one that waits for the next task.
  const supervisors = childrenOf(agent, "supervisor.js").map(residentMb);
  report({
    bench: "supervisor, memory",
    value: Math.max(...supervisors),
    unit: "MB",
    limit: { atMost: 60 },
    details: { supervisors: supervisors.length, agentWithATask: residentMb(agent) },
  });
  await connection.unary(CancelJob, { requestId: `cancel-${jobId}`, job: jobId, why: "measured" });
  await waitForPhase(connection, jobId, "CANCELLED");
}
