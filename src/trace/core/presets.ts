// The policies that a simulation knows by name: the default and the classics to compare it with.
// One row each; a policy file of the live scheduler works as well.

import type { JobId } from "../../base/ids.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import type { Command } from "../../scheduler/core/commands.ts";
import { DEFAULT_POLICY, type Policy, type QueueSpec } from "../../scheduler/core/state.ts";
import type { TraceJob } from "./workload.ts";

export interface PolicyPreset {
  readonly summary: string;
  readonly policy: Policy;
  /** Order inside each queue that no queues file sets. */
  readonly order: QueueSpec["order"];
  /** What the scheduler is told about a job that it could not know: how oracles are made. */
  readonly inform: (id: JobId, job: TraceJob) => readonly Command[];
}

const TELLS_NOTHING: PolicyPreset["inform"] = () => [];

/** What nobody could know when a job is submitted: for how long it will run. */
const TELLS_RUN_TIMES: PolicyPreset["inform"] = (jobId, { durationMs }) => [
  { kind: "job.forecast", jobId, remainingMs: durationMs },
];

/** One reservation, from the first moment on, and for as long as it takes. */
const EASY_POLICY: Policy = {
  ...DEFAULT_POLICY,
  isPreemptionEnabled: false,
  claimsMax: 1,
  gangPatienceMs: 0,
  gangLatestStartMs: 365 * DAY_MS,
};

/** Without what bounds the harm that preemption does to one job. */
const PREEMPTS_FREELY: Policy = {
  ...DEFAULT_POLICY,
  lasAgingMs: 365 * DAY_MS,
  lasPreemptionsMax: 1_000_000,
  lasLossMaxMs: 365 * DAY_MS,
  preemptionPatienceMs: 0,
};

/** What a policy file fills up. */
export const DEFAULT_PRESET: PolicyPreset = {
  summary: "what the scheduler does without a policy file",
  policy: DEFAULT_POLICY,
  order: "las",
  inform: TELLS_NOTHING,
};

export const POLICY_PRESETS: Readonly<Record<string, PolicyPreset>> = {
  default: DEFAULT_PRESET,
  fifo: {
    summary: "strictly in order: whoever does not fit holds back all behind it in its queue",
    policy: { ...DEFAULT_POLICY, isPreemptionEnabled: false, isBackfillEnabled: false },
    order: "fifo",
    inform: TELLS_NOTHING,
  },
  greedy: {
    summary: "whoever fits goes, in order of age; nobody is preempted, no gang is waited for",
    policy: { ...DEFAULT_POLICY, isPreemptionEnabled: false, claimsMax: 0 },
    order: "fifo",
    inform: TELLS_NOTHING,
  },
  las: {
    summary:
      "plain 2-level least attained service: below 1 GPU hour first, taking from those above " +
      "whatever they lose; the least lost work first",
    policy: { ...PREEMPTS_FREELY, lasLevelsGpuMs: [HOUR_MS] },
    order: "las",
    inform: TELLS_NOTHING,
  },
  drf: {
    summary: "queues by their dominant share of what runs now, each in order of age",
    policy: { ...DEFAULT_POLICY, isPreemptionEnabled: false, claimsMax: 0, usageHalfLifeMs: 0 },
    order: "fifo",
    inform: TELLS_NOTHING,
  },
  "gavel-max-min": {
    summary:
      "the nearest to Gavel's max-min: whoever had less of the GPUs takes turns with who had more, " +
      "at each doubling of what was had, in rounds of 6 minutes; GPU types count alike",
    policy: {
      ...PREEMPTS_FREELY,
      lasLevelsGpuMs: [1, 2, 4, 8, 16, 32, 64, 128].map((hours) => hours * HOUR_MS),
      minRunMs: 6 * MINUTE_MS,
    },
    order: "las",
    inform: TELLS_NOTHING,
  },
  easy: {
    summary:
      "EASY backfill: the first that does not fit gets a start time; others run before it if they " +
      "end by then, by their time limits or what jobs like them took",
    policy: EASY_POLICY,
    order: "fifo",
    inform: TELLS_NOTHING,
  },
  "sjf-oracle": {
    summary:
      "shortest job first, in GPU hours, knowing in advance how long each runs; nobody is preempted",
    policy: { ...DEFAULT_POLICY, isPreemptionEnabled: false, claimsMax: 0 },
    order: "shortest",
    inform: TELLS_RUN_TIMES,
  },
  "srsf-oracle": {
    summary:
      "shortest remaining service first, in GPU hours, knowing in advance how long each runs; takes " +
      "from those that have twice as much to come",
    policy: { ...PREEMPTS_FREELY, claimsMax: 0 },
    order: "shortest",
    inform: TELLS_RUN_TIMES,
  },
  "easy-oracle": {
    summary: "easy, knowing in advance how long each job runs",
    policy: EASY_POLICY,
    order: "fifo",
    inform: TELLS_RUN_TIMES,
  },
};
