// Who of those who wait will take room from others once its patience ends, and from whom. Asks the
// planner, as if the time had come and nothing else had happened: of those whose patience has ended
// already, the last pass has said what they may take.

import type { JobId } from "../../base/ids.ts";
import { jobOf } from "./lookup.ts";
import { plan } from "./plan.ts";
import type { Eviction } from "./plan-types.ts";
import type { ClusterState } from "./state.ts";

/** What a job may do if it still waits then. */
export interface Turn {
  readonly fromMs: number;
  /** At least one. */
  readonly evictions: readonly Eviction[];
  /** By when they have left if they are asked then. */
  readonly byMs: number;
}

/** The newest are looked at, so many. */
const YOUNG_MAX = 256;

export const turnsOf = (state: ClusterState, nowMs: number): ReadonlyMap<JobId, Turn> =>
  turnsAmong(state, nowMs, youngOf(state, nowMs));

/** Of one that has patience, as if no other of those had. Null = it will take nothing. */
export const turnAlone = (state: ClusterState, nowMs: number, id: JobId): Turn | null =>
  turnsAmong(state, nowMs, [id]).get(id) ?? null;

function turnsAmong(
  state: ClusterState,
  nowMs: number,
  young: readonly JobId[],
): ReadonlyMap<JobId, Turn> {
  const { policy } = state;
  const turns = new Map<JobId, Turn>();
  if (young.length === 0 || !policy.isPreemptionEnabled) return turns;
  const thenMs = nowMs + policy.preemptionPatienceMs;
  const jobs = young.map((id) => jobOf(state, id));
  const among = state.pending.only(jobs, thenMs);
  const { reservations, evictions } = plan(state, thenMs, policy, { among });
  for (const { jobId } of reservations) {
    const forIt = evictions.filter(({ preemptor }) => preemptor === jobId);
    const { phase } = jobOf(state, jobId);
    if (forIt.length === 0 || phase.kind !== "pending") continue;
    const fromMs = Math.max(nowMs, phase.sinceMs + policy.preemptionPatienceMs);
    const graces = forIt.map(({ victim }) => jobOf(state, victim).spec.graceMs);
    turns.set(jobId, { fromMs, evictions: forIt, byMs: fromMs + Math.max(...graces) });
  }
  return turns;
}

/** Those who still have patience, and no reservation yet. */
function youngOf({ pending, policy, reservations }: ClusterState, nowMs: number): readonly JobId[] {
  const young: JobId[] = [];
  const { bySince } = pending;
  for (let at = bySince.size - 1; at >= 0 && young.length < YOUNG_MAX; at -= 1) {
    const next = bySince.at(at);
    if (next === undefined || next.sinceMs + policy.preemptionPatienceMs <= nowMs) break;
    if (!reservations.has(next.id)) young.push(next.id);
  }
  return young;
}
