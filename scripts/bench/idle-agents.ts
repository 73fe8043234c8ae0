// What a large idle cluster costs its scheduler: 500 agents connected, heartbeats at the default
// interval, nothing to do. The agents are light ones, in one process of their own.

import { fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { startScheduler, waitForNodes } from "./daemon.ts";
import { cpuShare, residentMb } from "./proc.ts";
import { report } from "./report.ts";
import type { Stage } from "./stage.ts";

const AGENTS = 500;
const SETTLE_MS = 3_000;
const MEASURE_MS = 15_000;

export const idleAgentsBench: Bench = {
  name: "idle-agents",
  summary: "what 500 idle agents cost the scheduler",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const { pid, grpc, connection } = await startScheduler(stage, { dir: await stage.tempDir() });
  const startedMs = performance.now();
  await startAgents(stage, grpc);
  await waitForNodes(connection, AGENTS);
  const joinedMs = performance.now() - startedMs;
  await pause(SETTLE_MS);
  const share = await cpuShare(pid, MEASURE_MS);
  report({
    bench: "scheduler with 500 idle agents, CPU",
    value: share * 100,
    unit: "% of a core",
    limit: { atMost: 15 },
    details: { secondsUntilAllJoined: joinedMs / 1_000 },
  });
  report({
    bench: "scheduler with 500 idle agents, memory",
    value: residentMb(pid),
    unit: "MB",
    limit: { atMost: 300 },
  });
}

function startAgents(stage: Stage, scheduler: string): Promise<void> {
  const entry = fileURLToPath(new URL("./fake-agents.ts", import.meta.url));
  const argv = [scheduler, String(AGENTS)];
  const child = stage.own(fork(entry, argv, { execArgv: ["--import", "tsx"] }));
  return new Promise((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", () => reject(new Error("the fake agents ended")));
  });
}
