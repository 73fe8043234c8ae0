// Kueue's own two scheduler tests through the live daemon: submitted over gRPC, decided, durable, sent
// to agents that only pretend to run, and reported back. Kueue's figures go through a Kubernetes API
// server, and its workloads too only pretend.

import { fork } from "node:child_process";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { startScheduler } from "./daemon.ts";
import type { LoadResult } from "./kueue-load.ts";
import {
  boundSeconds,
  nodeCount,
  queueCount,
  type Scenario,
  SCENARIOS,
  workloadCount,
} from "./kueue-scenarios.ts";
import { cpuSeconds } from "./proc.ts";
import { report } from "./report.ts";
import type { Stage } from "./stage.ts";

export const kueueBench: Bench = {
  name: "kueue",
  summary: "Kueue's two scheduler tests through the daemon: 15,000 and 50,000 workloads",
  limitMs: 900_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const rows: string[][] = [HEADINGS];
  for (const scenario of SCENARIOS) rows.push(await runScenario(stage, scenario));
  process.stderr.write(`${table(rows)}\n${NOTE}\n`);
}

const HEADINGS = [
  "scenario",
  "workloads",
  "queues",
  "bound s",
  "here s",
  "here/s",
  "kueue s",
  "kueue/s",
];
const NOTE =
  "Kueue's seconds are those that it published of its own CI, and go through a Kubernetes API server;\n" +
  "those here go through gRPC and a durable log. In both nothing runs: workloads only take their time.";

async function runScenario(stage: Stage, scenario: Scenario): Promise<string[]> {
  const scheduler = await startScheduler(stage, { dir: await stage.tempDir() });
  const cpuBefore = cpuSeconds(scheduler.pid);
  const result = await startLoad(stage, scheduler.grpc, scenario.name);
  const workloads = workloadCount(scenario);
  const { seconds, submitSeconds, stopped, waitSeconds } = result;
  report({
    bench: `Kueue's scenario ${scenario.name}, ${workloads} workloads`,
    value: seconds,
    unit: "s",
    limit: { atMost: scenario.secondsMax },
    details: {
      boundSeconds: boundSeconds(scenario),
      kueueSeconds: scenario.kueueSeconds,
      kueueGoesThrough: "a Kubernetes API server",
      workloadsPerSecond: workloads / seconds,
      queues: queueCount(scenario),
      nodes: nodeCount(scenario),
      submitSeconds,
      preempted: stopped,
      ...Object.fromEntries(
        Object.entries(waitSeconds).map(([name, wait]) => [`${name}WaitSeconds`, wait]),
      ),
      schedulerCpuSeconds: cpuSeconds(scheduler.pid) - cpuBefore,
      loadAverage: loadavg()[0] ?? Number.NaN,
    },
  });
  await scheduler.end();
  return [
    scenario.name,
    String(workloads),
    String(queueCount(scenario)),
    boundSeconds(scenario).toFixed(1),
    seconds.toFixed(1),
    (workloads / seconds).toFixed(0),
    String(scenario.kueueSeconds),
    (workloads / scenario.kueueSeconds).toFixed(0),
  ];
}

function startLoad(stage: Stage, scheduler: string, name: string): Promise<LoadResult> {
  const entry = fileURLToPath(new URL("./kueue-load.ts", import.meta.url));
  const child = stage.own(fork(entry, [scheduler, name], { execArgv: ["--import", "tsx"] }));
  return new Promise((resolve, reject) => {
    child.once("message", (result: LoadResult) => {
      child.disconnect();
      resolve(result);
    });
    child.once("exit", () => reject(new Error("the pretended cluster ended early")));
  });
}

/** Columns as wide as their widest cell; numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widthOf = (at: number): number => Math.max(...rows.map((row) => row[at]?.length ?? 0));
  const cell = (text: string, at: number): string =>
    at === 0 ? text.padEnd(widthOf(at)) : text.padStart(widthOf(at));
  return rows.map((row) => row.map(cell).join("  ")).join("\n");
}
