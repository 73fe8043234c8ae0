// The counters of the fold: of the whole cluster, and of the queue that a job is in. Called by `apply`
// only.

import type { JobSpec, PreemptionKind } from "./job.ts";
import { queueOf } from "./lookup.ts";
import type { MutableClusterState, QueueCounts } from "./state.ts";

export function count(
  state: MutableClusterState,
  { queue: path }: JobSpec,
  what: Exclude<keyof QueueCounts, "preemptions">,
  more: number,
): void {
  const queue = queueOf(state, path);
  const counts = { ...queue.counts, [what]: queue.counts[what] + more };
  state.queues.set(path, { ...queue, counts });
  state.totals = { ...state.totals, [what]: state.totals[what] + more };
}

export function countPreemption(
  state: MutableClusterState,
  { queue: path }: JobSpec,
  how: PreemptionKind,
): void {
  const queue = queueOf(state, path);
  const more = <T extends QueueCounts["preemptions"]>(of: T): T => ({ ...of, [how]: of[how] + 1 });
  const counts = { ...queue.counts, preemptions: more(queue.counts.preemptions) };
  state.queues.set(path, { ...queue, counts });
  state.totals = { ...state.totals, preemptions: more(state.totals.preemptions) };
}
