// The policies that a simulation knows by name: the default and the classics to compare it with.
// One row each; a policy file of the live scheduler works as well.

import type { JobId } from "../../base/ids.ts";
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
};
