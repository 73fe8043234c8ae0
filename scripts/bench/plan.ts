// A planning pass over 10,000 pending jobs on 1,024 nodes of 8 GPUs, and how many gangs a second one
// core places. The core alone, as the scheduler runs it: the plan, its proof, and its events applied.

import type { Bench } from "./bench.ts";
import { type Core, loadCore } from "./built-core.ts";
import { BusyCluster, GPUS, NODES, QUEUES } from "./busy-cluster.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const PENDING = 10_000;
const WARM_UP = 20;
const PASSES = 200;
/** A second of a day on which every job runs for half an hour. */
const TICK_MS = 1_000;
const ENDS_PER_TICK = 2;
const GANG_NODES = 4;

export const planBench: Bench = {
  name: "plan",
  summary: "a planning pass with 10,000 pending jobs; gang placements a second",
  limitMs: 120_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const core = await loadCore(await stage.tempDir());
  reportPass(core);
  reportPlacements(core);
}

function reportPass(core: Core): void {
  const cluster = new BusyCluster(core);
  cluster.fill();
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let starts = 0;
  for (let pass = -WARM_UP; pass < PASSES; pass += 1) {
    cluster.passTime(TICK_MS, ENDS_PER_TICK);
    cluster.bringPendingTo(PENDING);
    const cpuBefore = process.cpuUsage();
    const startedMs = performance.now();
    const plan = cluster.plan();
    const tookMs = performance.now() - startedMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    if (pass < 0) continue;
    times.push(tookMs);
    cpuTimes.push((user + system) / 1_000);
    starts += plan.starts.length;
  }
  report({
    bench: "planning pass with 10,000 pending jobs, p99",
    value: quantile(times, 0.99),
    unit: "ms",
    limit: { atMost: 50 },
    details: {
      p50: median(times),
      // All threads of the process: larger than the pass where the collector of garbage helps.
      cpuP50: median(cpuTimes),
      cpuP99: quantile(cpuTimes, 0.99),
      passes: PASSES,
      startsPerPass: starts / PASSES,
      nodes: NODES,
      gpusPerNode: GPUS,
      running: cluster.running,
      queues: QUEUES,
    },
  });
}

/** Gangs of whole nodes that fill an empty cluster in one pass. */
function reportPlacements(core: Core): void {
  const cluster = new BusyCluster(core);
  cluster.submitGangs(NODES / GANG_NODES, GANG_NODES);
  const startedMs = performance.now();
  const placed = cluster.plan().starts.length;
  report({
    bench: "gangs of 4 nodes placed a second",
    value: placed / ((performance.now() - startedMs) / 1_000),
    unit: "1/s",
    limit: { atLeast: 2_000 },
    details: { placed },
  });
}
