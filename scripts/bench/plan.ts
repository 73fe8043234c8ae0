// A planning pass over 100,000 pending jobs on 1,250 nodes of 8 GPUs, over a small cluster as traces
// have it, and how many gangs a second one core places. The core alone, as the scheduler runs it: the plan, its proof, and its events applied.

import type { Explanation } from "../../src/scheduler/core/explain.ts";
import type { StartForecasts } from "../../src/scheduler/core/start-forecast.ts";
import type { Bench } from "./bench.ts";
import { type Core, loadCore } from "./built-core.ts";
import { BusyCluster, type ClusterSize, GPUS } from "./busy-cluster.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

interface PassCase extends ClusterSize {
  readonly pending: number;
  /** Milliseconds that the slowest pass of a hundred may take. */
  readonly p99Max: number;
}

const PASS_CASES: readonly PassCase[] = [
  { nodes: 1_024, queues: 50, pending: 10_000, p99Max: 50 },
  { nodes: 1_250, queues: 50, pending: 100_000, p99Max: 50 },
  // A millisecond or two, but for passes in which the engine compiles or collects garbage.
  { nodes: 64, queues: 15, pending: 50, p99Max: 10 },
  { nodes: 64, queues: 15, pending: 5_000, p99Max: 10 },
];
/** `p99Max`: of an answer. */
const QUESTION_CASES: readonly PassCase[] = [
  { nodes: 1_024, queues: 50, pending: 10_000, p99Max: 50 },
  { nodes: 64, queues: 15, pending: 50, p99Max: 50 },
];
/** Jobs that are asked for, spread over those who wait; dry runs; looks at the shares. */
const ASKED = 200;
const ASKED_WARM_UP = 20;
/** The writer loop waits for each step. */
const STEP_MS_MAX = 20;
const WARM_UP = 50;
const PASSES = 200;
const PLACING: ClusterSize = { nodes: 1_024, queues: 50 };
/** A second of a day on which every job runs for half an hour. */
const TICK_MS = 1_000;
const ENDS_PER_TICK = 2;
const GANG_NODES = 4;

export const planBench: Bench = {
  name: "plan",
  summary: "a planning pass with up to 100,000 pending jobs; forecasts; gang placements a second",
  limitMs: 120_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const core = await loadCore(await stage.tempDir());
  for (const one of PASS_CASES) reportPass(core, one);
  for (const one of QUESTION_CASES) reportQuestions(core, one);
  reportPlacements(core);
}

function reportPass(core: Core, { pending, p99Max, ...size }: PassCase): void {
  const cluster = new BusyCluster(core, size);
  cluster.fill();
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let starts = 0;
  for (let pass = -WARM_UP; pass < PASSES; pass += 1) {
    cluster.passTime(TICK_MS, ENDS_PER_TICK);
    cluster.bringPendingTo(pending);
    const { result: plan, tookMs, cpuMs } = timed(() => cluster.plan());
    if (pass < 0) continue;
    times.push(tookMs);
    cpuTimes.push(cpuMs);
    starts += plan.starts.length;
  }
  report({
    bench: `planning pass, ${pending} pending on ${size.nodes} nodes, p99`,
    value: quantile(times, 0.99),
    unit: "ms",
    limit: { atMost: p99Max },
    details: {
      p50: median(times),
      cpuP50: median(cpuTimes),
      cpuP99: quantile(cpuTimes, 0.99),
      passes: PASSES,
      startsPerPass: starts / PASSES,
      gpusPerNode: GPUS,
      running: cluster.running,
      queues: size.queues,
    },
  });
}

/** A forecast, and what is asked with it: jobs from the first to the last, dry runs, shares. */
function reportQuestions(core: Core, { pending, p99Max, ...size }: PassCase): void {
  const cluster = new BusyCluster(core, size);
  cluster.fill();
  let plan = cluster.plan();
  for (let pass = 0; pass < WARM_UP; pass += 1) {
    cluster.passTime(60 * TICK_MS, ENDS_PER_TICK);
    cluster.bringPendingTo(pending);
    plan = cluster.plan();
  }
  const at = `${pending} pending on ${size.nodes} nodes`;
  timeForecast(cluster);
  const { result: forecast, cpuMs: forecastMs } = timed(() => timeForecast(cluster));
  const { starts, stepTimes } = forecast;
  report({
    bench: `longest step of a forecast for all, ${at}`,
    value: Math.max(...stepTimes),
    unit: "ms",
    limit: { atMost: STEP_MS_MAX },
    details: { p99: quantile(stepTimes, 0.99), steps: stepTimes.length, cpuOfAll: forecastMs },
  });
  const question = { at, p99Max, running: cluster.running };
  reportAnswers({ ...question, name: "explain" }, (ask) => cluster.explain(ask, plan, starts));
  reportAnswers({ ...question, name: "submit --dry-run" }, () => cluster.dryRun(plan, starts));
  reportAnswers({ ...question, name: "queue shares" }, () => {
    cluster.shares();
    return null;
  });
}

interface Question {
  readonly name: string;
  readonly at: string;
  readonly p99Max: number;
  readonly running: number;
}

/** `answer` takes 0 to 1 and gives what is told, of something that waits or would. */
function reportAnswers(
  { name, at, p99Max, running }: Question,
  answer: (ask: number) => Explanation | null,
): void {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let waiting = 0;
  let known = 0;
  let remedies = 0;
  for (let ask = -ASKED_WARM_UP; ask < ASKED; ask += 1) {
    const { result, tookMs, cpuMs } = timed(() => answer(Math.abs(ask) / ASKED));
    if (ask < 0) continue;
    times.push(tookMs);
    cpuTimes.push(cpuMs);
    if (result === null || result.position === 0) continue;
    waiting += 1;
    if (typeof result.prospect?.forecast.p50Ms === "number") known += 1;
    if (result.remedy !== "") remedies += 1;
  }
  const told = waiting === 0 ? {} : { known: known / waiting, remedies: remedies / waiting };
  report({
    bench: `${name}, ${at}, p99`,
    value: quantile(times, 0.99),
    unit: "ms",
    limit: { atMost: p99Max },
    details: {
      p50: median(times),
      cpuP50: median(cpuTimes),
      cpuP99: quantile(cpuTimes, 0.99),
      asked: ASKED,
      running,
      ...told,
    },
  });
}

interface SteppedForecast {
  readonly starts: StartForecasts;
  readonly stepTimes: readonly number[];
}

function timeForecast(cluster: BusyCluster): SteppedForecast {
  const forecast = cluster.forecast();
  const stepTimes: number[] = [];
  for (;;) {
    const { result, tookMs } = timed(() => forecast.next());
    stepTimes.push(tookMs);
    if (result.done === true) return { starts: result.value, stepTimes };
  }
}

interface Timed<T> {
  readonly result: T;
  readonly tookMs: number;
  /** Of all threads of the process: more than it took where the collector of garbage helps. */
  readonly cpuMs: number;
}

function timed<T>(work: () => T): Timed<T> {
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const result = work();
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { result, tookMs, cpuMs: (user + system) / 1_000 };
}

/** Gangs of whole nodes that fill an empty cluster in one pass. */
function reportPlacements(core: Core): void {
  const cluster = new BusyCluster(core, PLACING);
  cluster.submitGangs(PLACING.nodes / GANG_NODES, GANG_NODES);
  const { result: plan, tookMs } = timed(() => cluster.plan());
  const placed = plan.starts.length;
  report({
    bench: "gangs of 4 nodes placed a second",
    value: placed / (tookMs / 1_000),
    unit: "1/s",
    limit: { atLeast: 2_000 },
    details: { placed },
  });
}
