// What the next planning pass would do with a job: of one that waits, and of one that nobody has
// submitted yet. Asks the planner itself, on the state or on a copy of it; changes nothing.

import { must } from "../../base/assert.ts";
import type { Refusal } from "../../base/errors.ts";
import type { JobId } from "../../base/ids.ts";
import { elementsOf } from "./array.ts";
import type { Command } from "./commands.ts";
import { step } from "./cycle.ts";
import { isElastic } from "./elastic.ts";
import { forkState } from "./fork.ts";
import type { Hold } from "./hold.ts";
import type { Identity, JobSpec, TaskPlacement } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { plan } from "./plan.ts";
import type { Eviction, Findings, Plan } from "./plan-types.ts";
import type { ClusterState, MutableClusterState } from "./state.ts";

export type Preview =
  | { readonly kind: "starts"; readonly placement: readonly TaskPlacement[] }
  /** Its room would be reserved; `evictions` are for it, and may be none where others leave anyway. */
  | {
      readonly kind: "reserves";
      readonly placement: readonly TaskPlacement[];
      readonly evictions: readonly Eviction[];
    }
  | { readonly kind: "waits"; readonly hold: Hold };

/** The job must be pending. */
export function previewPass(state: ClusterState, jobId: JobId, nowMs: number): Preview {
  return previewOf(planFor(state, jobId, nowMs, null), jobId);
}

/**
 * The pass as far as it tells what becomes of the job: up to it, or all of it for an elastic one,
 * which takes beyond its least only what those behind it leave.
 *
 * `known`: by the pass before, if others have come to wait since and nothing else; null = anybody may
 * find room.
 */
export function planFor(
  state: ClusterState,
  jobId: JobId,
  nowMs: number,
  known: Findings | null,
): Plan {
  const { policy } = state;
  if (isElastic(jobOf(state, jobId))) return plan(state, nowMs, policy);
  return plan(state, nowMs, policy, {
    until: jobId,
    known: policy.isBackfillEnabled ? known : null,
  });
}

/** What a plan does with a job that was pending before. */
export function previewOf({ starts, reservations, evictions, holds }: Plan, jobId: JobId): Preview {
  const start = starts.find((one) => one.jobId === jobId);
  if (start !== undefined) return { kind: "starts", placement: start.placement };
  const reserved = reservations.find((one) => one.jobId === jobId);
  if (reserved === undefined) {
    return { kind: "waits", hold: holds.of(jobId) ?? { code: "EVALUATING" } };
  }
  const forIt = evictions.filter(({ preemptor }) => preemptor === jobId);
  return { kind: "reserves", placement: reserved.placement, evictions: forIt };
}

/** A copy of the state in which something was done. */
export interface Hypothesis {
  readonly kind: "hypothesis";
  readonly state: MutableClusterState;
  /** The job that was submitted in it: of an array, its first element; null = no job was. */
  readonly jobId: JobId | null;
}

/** Does what is said, as if it were asked for now, or says why it would be refused. */
export function suppose(
  state: ClusterState,
  commands: readonly Command[],
  actor: Identity,
  nowMs: number,
): Hypothesis | Refusal {
  const fork = forkState(state);
  let jobId: JobId | null = null;
  for (const command of commands) {
    const { reply } = step(fork, { command, actor, request: null }, nowMs);
    if (reply.kind === "refusal") return reply;
    if (command.kind === "job.submit") jobId = must(reply.jobId, "id of the job");
  }
  const array = jobId === null ? undefined : fork.arrays.get(jobId);
  const first = array === undefined ? undefined : elementsOf(fork, array)[0];
  return { kind: "hypothesis", state: fork, jobId: first?.id ?? jobId };
}

/** The same job submitted now, alone and with nothing that it has to wait for. */
export const asNew = (spec: JobSpec): JobSpec => ({
  ...spec,
  array: null,
  after: [],
  beginAtMs: null,
  isHeld: false,
});
