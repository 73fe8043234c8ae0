// Kueue's two published scenarios for its scheduler, as numbers (kubernetes-sigs/kueue,
// test/performance/scheduler/configs: `baseline` at cc13fff, `large-scale` at f6517b0), and what they
// become here: a cohort is a queue with queues below it, a CPU is a GPU, quota is guarantee.
//
// Kueue counts quota and places on no nodes. So that here too only quota binds, there are more GPUs
// than quota: whatever runs, some node has room for the largest job.

import type { QueueSpec } from "../../src/rpc/gen/trainyard/v1/QueueSpec.ts";

export interface WorkloadClass {
  readonly name: string;
  /** For each queue. */
  readonly count: number;
  readonly intervalMs: number;
  readonly runMs: number;
  readonly priorityClass: "low" | "normal" | "high";
  readonly gpus: number;
}

export interface Scenario {
  readonly name: string;
  readonly cohorts: number;
  readonly queuesPerCohort: number;
  readonly classes: readonly WorkloadClass[];
  /** Seconds that Kueue's own run took, through a Kubernetes API server. */
  readonly kueueSeconds: number;
  readonly secondsMax: number;
}

const QUOTA = 20;
const BORROWING_LIMIT = 100;
export const GPUS_PER_NODE = 100;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "baseline",
    cohorts: 5,
    queuesPerCohort: 6,
    classes: [
      workloads("small", 350, 100, 200, "low", 1),
      workloads("medium", 100, 500, 500, "normal", 5),
      workloads("large", 50, 1_200, 1_000, "high", 20),
    ],
    kueueSeconds: 351,
    secondsMax: 75,
  },
  {
    name: "large-scale",
    cohorts: 10,
    queuesPerCohort: 100,
    classes: [
      workloads("small", 35, 60, 150, "low", 1),
      workloads("medium", 11, 300, 350, "normal", 5),
      workloads("large", 4, 700, 700, "high", 20),
    ],
    kueueSeconds: 1_179,
    secondsMax: 30,
  },
];

export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${JSON.stringify(name)}`);
  return scenario;
}

export const queueCount = ({ cohorts, queuesPerCohort }: Scenario): number =>
  cohorts * queuesPerCohort;

export const workloadCount = (scenario: Scenario): number =>
  queueCount(scenario) * scenario.classes.reduce((sum, { count }) => sum + count, 0);

/** No scheduler can be faster: all the GPU time over all the quota, or the last arrival's end. */
export function boundSeconds({ classes }: Scenario): number {
  const gpuMs = classes.reduce((sum, { count, runMs, gpus }) => sum + count * runMs * gpus, 0);
  const lastEndsMs = classes.map(({ count, intervalMs, runMs }) => count * intervalMs + runMs);
  return Math.max(gpuMs / QUOTA, ...lastEndsMs) / 1_000;
}

/** So many that a node has room for the largest job while quota has. */
export function nodeCount(scenario: Scenario): number {
  const largest = Math.max(...scenario.classes.map(({ gpus }) => gpus));
  return Math.ceil((queueCount(scenario) * QUOTA + 1) / (GPUS_PER_NODE - (largest - 1)));
}

export function queuesOf({ cohorts, queuesPerCohort }: Scenario): readonly QueueSpec[] {
  const total = queuesPerCohort * QUOTA;
  return Array.from({ length: cohorts }, (_, cohort) => [
    { path: cohortName(cohort), guarantee: total, limit: total },
    ...Array.from({ length: queuesPerCohort }, (__, queue) => {
      const path = queueName(cohort, queue);
      return { path, guarantee: QUOTA, borrowingLimit: BORROWING_LIMIT };
    }),
  ]).flat();
}

export interface Arrival {
  readonly atMs: number;
  readonly queue: string;
  readonly workload: WorkloadClass;
}

/** In the order of their times. */
export function arrivalsOf({ cohorts, queuesPerCohort, classes }: Scenario): readonly Arrival[] {
  const arrivals: Arrival[] = [];
  for (let cohort = 0; cohort < cohorts; cohort += 1) {
    for (let queue = 0; queue < queuesPerCohort; queue += 1) {
      for (const workload of classes) {
        for (let n = 1; n <= workload.count; n += 1) {
          const atMs = n * workload.intervalMs;
          arrivals.push({ atMs, queue: queueName(cohort, queue), workload });
        }
      }
    }
  }
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}

const cohortName = (cohort: number): string => `cohort-${cohort}`;
const queueName = (cohort: number, queue: number): string => `${cohortName(cohort)}/cq-${queue}`;

function workloads(
  ...[name, count, intervalMs, runMs, priorityClass, gpus]: [
    name: string,
    count: number,
    intervalMs: number,
    runMs: number,
    priorityClass: WorkloadClass["priorityClass"],
    gpus: number,
  ]
): WorkloadClass {
  return { name, count, intervalMs, runMs, priorityClass, gpus };
}
