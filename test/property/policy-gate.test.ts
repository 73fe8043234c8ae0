// The default policy against its budgets (policy-budgets.ts), through the simulator, which drives the
// live cycle. A trace that is not here is skipped, and said to be.

import { describe, expect, test } from "vitest";
import { must } from "../../src/base/assert.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/scheduler/core/state.ts";
import { type Figures, figuresOf } from "../../src/trace/core/measures.ts";
import { tenantQueues } from "../../src/trace/core/queues.ts";
import { Recorder } from "../../src/trace/core/recorder.ts";
import { Simulation } from "../../src/trace/core/simulation.ts";
import type { Workload } from "../../src/trace/core/workload.ts";
import { workloadFor } from "./gate-workloads.ts";
import {
  type Budgets,
  CASES,
  type GateCase,
  JCT_RATIO_MAX,
  NEWEST_FIRST,
  WORK,
} from "./policy-budgets.ts";

/** Of a simulation, with how many planning passes it took: the only measure of work in here. */
type Measured = Figures & { readonly passes: number };

function simulate(workload: Workload, { cluster }: GateCase, policy: Policy): Measured {
  const onEvents = (): void => undefined;
  const recorder = new Recorder({ tenants: workload.tenants, clockMs: () => 0, onEvents });
  const queues = tenantQueues(workload, cluster, "equal", "las");
  const setup = { workload, cluster, queues, policy, work: WORK, inform: () => [] };
  const simulation = new Simulation({ ...setup, passIntervalMs: 0, untilMs: null }, recorder);
  while (!simulation.advance(10_000));
  const figures = figuresOf(simulation.end(), recorder, cluster);
  return { ...figures, passes: recorder.passMs.length };
}

/** What is over its budget, with the numbers. */
function overBudget(measured: Measured, budgets: Budgets): readonly string[] {
  const over: string[] = [];
  for (const [figure, { measured: before, margin }] of Object.entries(budgets)) {
    const value = measured[figure as keyof Budgets];
    const budget = before * (1 + margin);
    if (value > budget) over.push(`${figure} is ${value}, over ${budget} (${before} when set)`);
  }
  return over;
}

describe.each(CASES)("$name", (given) => {
  const workload = workloadFor(given);

  test.skipIf(workload === null)(
    "the budgets hold, and newest first loses more work for no shorter jobs",
    () => {
      const ours = simulate(must(workload, given.name), given, DEFAULT_POLICY);
      console.log(`${given.name}: ${JSON.stringify(ours)}`);
      expect(ours.finished).toBe(ours.jobs);
      expect(overBudget(ours, given.budgets)).toEqual([]);
      const theirs = simulate(must(workload, given.name), given, NEWEST_FIRST);
      console.log(`${given.name}: lost GPU h ${ours.lostGpuHours} against ${theirs.lostGpuHours}`);
      console.log(`${given.name}: avg JCT h ${ours.avgJctHours} against ${theirs.avgJctHours}`);
      expect(ours.lostGpuHours).toBeLessThanOrEqual(theirs.lostGpuHours * given.lostRatioMax);
      expect(ours.avgJctHours).toBeLessThanOrEqual(theirs.avgJctHours * JCT_RATIO_MAX);
    },
  );
});
