// What a rehearsed change would bring about, as the API shows it. Pure.

import type { Outlook as OutlookMessage } from "../rpc/gen/trainyard/v1/Outlook.ts";
import type { PlannedPreemption } from "../rpc/gen/trainyard/v1/PlannedPreemption.ts";
import { jobOf } from "./core/lookup.ts";
import type { Eviction } from "./core/plan-types.ts";
import type { Outlook } from "./core/rehearse.ts";
import type { ClusterState } from "./core/state.ts";

/** How many of a queue's stranded jobs are named. */
const NAMED_MAX = 5;

export function outlookView(state: ClusterState, outlook: Outlook): OutlookMessage {
  return {
    preemptions: outlook.evictions.map((eviction) => preemptionView(state, eviction)),
    starts: outlook.starts.length,
    stranded: [...outlook.stranded].map(([queue, jobs]) => {
      return { queue, count: jobs.length, jobs: jobs.slice(0, NAMED_MAX) };
    }),
  };
}

/** The preemptor of a job that is only tried has no id that means anything to anybody. */
export function preemptionView(
  state: ClusterState,
  { victim, how, preemptor, why }: Eviction,
): PlannedPreemption {
  const { queue } = jobOf(state, victim).spec;
  const known = preemptor !== null && state.jobs.has(preemptor) ? preemptor : "";
  return { job: victim, queue, preemptor: known, kind: how, why };
}
