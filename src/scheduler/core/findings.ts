// Where what a pass found (`Findings`) still holds, and whom the next one has to look at beside it.

import type { QueuePath } from "../../base/ids.ts";
import { jobOf } from "./lookup.ts";
import type { Pass } from "./pass.ts";
import type { Findings } from "./plan-types.ts";

/** Are queues due what they were? Else somebody may have a right that he had not. */
export const isDueAlike = ({ tree }: Pass, { dues }: Findings): boolean =>
  [...tree.all()].every(({ spec, dueGpus }) => dues.get(spec.path) === dueGpus);

/** Leaf queues of those who came to wait since, and of those who keep nodes. */
export function queuesLeft({ state, pending }: Pass, known: Findings): Set<QueuePath> {
  const { seq, claimants, awaiting } = known;
  const queues = new Set<QueuePath>();
  for (const { id } of pending.newerThan(seq)) queues.add(jobOf(state, id).spec.queue);
  for (const id of [...claimants, ...awaiting]) queues.add(jobOf(state, id).spec.queue);
  return queues;
}
