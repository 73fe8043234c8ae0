// What a rehearsed change would bring about, as the API shows it. Pure.

import type { Outlook as OutlookMessage } from "../rpc/gen/trainyard/v1/Outlook.ts";
import { jobOf } from "./core/lookup.ts";
import type { Outlook } from "./core/rehearse.ts";
import type { ClusterState } from "./core/state.ts";

/** How many of a queue's stranded jobs are named. */
const NAMED_MAX = 5;

export function outlookView(state: ClusterState, outlook: Outlook): OutlookMessage {
  return {
    preemptions: outlook.evictions.map(({ victim, how, preemptor, why }) => {
      const { queue } = jobOf(state, victim).spec;
      return { job: victim, queue, preemptor: preemptor ?? "", kind: how, why };
    }),
    starts: outlook.starts.length,
    stranded: [...outlook.stranded].map(([queue, jobs]) => {
      return { queue, count: jobs.length, jobs: jobs.slice(0, NAMED_MAX) };
    }),
  };
}
