// What follows for jobs that wait for another one: when that ends, they wait no longer, or they can
// never start and end too. To wait for ever without a word would be worse.

import type { JobId } from "../../base/ids.ts";
import { dependentsOf, neverMessage, verdictOn } from "./admission.ts";
import { elementsOf } from "./array.ts";
import type { ClusterEvent } from "./events.ts";
import { type Dependency, isEnded } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { ClusterState } from "./state.ts";

/** A job or an array was submitted: what it is to wait for may be over already. */
export function startedWaiting(state: ClusterState, id: JobId): readonly ClusterEvent[] {
  return settle(state, id, waitsOf(state, id));
}

/** A job has ended, and its array perhaps with it. */
export function afterJobEnd(state: ClusterState, ended: JobId): readonly ClusterEvent[] {
  const { array } = jobOf(state, ended);
  const targets = array === null ? [ended] : [ended, array.id];
  const dependents = new Set(targets.flatMap((target) => dependentsOf(state, target)));
  return [...dependents].flatMap((id) =>
    settle(
      state,
      id,
      waitsOf(state, id).filter(({ job }) => targets.includes(job)),
    ),
  );
}

const waitsOf = (state: ClusterState, id: JobId): readonly Dependency[] =>
  (state.arrays.get(id) ?? jobOf(state, id)).waitsFor;

/** One dependency that can't be met any more ends the waiting. */
function settle(
  state: ClusterState,
  id: JobId,
  looked: readonly Dependency[],
): readonly ClusterEvent[] {
  const never = looked.find((dependency) => verdictOn(state, dependency) === "never");
  if (never !== undefined) return endAll(state, id, neverMessage(state, never));
  const met = looked.filter((dependency) => verdictOn(state, dependency) === "met");
  return met.map(({ job: on }) => ({ kind: "job.dependency-met", jobId: id, on }));
}

function endAll(state: ClusterState, id: JobId, why: string): readonly ClusterEvent[] {
  const array = state.arrays.get(id);
  const jobs = array === undefined ? [jobOf(state, id)] : elementsOf(state, array);
  return jobs
    .filter(({ phase }) => !isEnded(phase))
    .map((job) => ({
      kind: "job.ended",
      jobId: job.id,
      result: { kind: "cancelled", by: "scheduler", why },
    }));
}
