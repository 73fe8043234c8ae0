// What a command would bring about, tried on a copy: whether it is accepted, and what the planning
// pass after it would do that the one without it does not. The state itself sees nothing of it.

import type { Refusal } from "../../base/errors.ts";
import type { JobId, QueuePath } from "../../base/ids.ts";
import type { Envelope } from "./commands.ts";
import { step } from "./cycle.ts";
import { forkState } from "./fork.ts";
import type { Hold } from "./hold.ts";
import { jobOf } from "./lookup.ts";
import { plan } from "./plan.ts";
import type { Eviction, Plan } from "./plan-types.ts";
import type { ClusterState } from "./state.ts";

export interface Outlook {
  /** Who would be asked to leave. */
  readonly evictions: readonly Eviction[];
  /** Who would start. */
  readonly starts: readonly JobId[];
  /** Whom limits would keep from ever starting, oldest first. */
  readonly stranded: ReadonlyMap<QueuePath, readonly JobId[]>;
}

/**
 * A refusal is that of the command. Costs a copy of the state and two planning passes: for people
 * who are about to change something, not for every submission.
 */
export function rehearse(
  state: ClusterState,
  { command, actor }: Pick<Envelope, "command" | "actor">,
  nowMs: number,
): Outlook | Refusal {
  const copy = forkState(state);
  const { reply } = step(copy, { command, actor, request: null }, nowMs);
  if (reply.kind === "refusal") return reply;
  const without = plan(state, nowMs, state.policy);
  const then = plan(copy, nowMs, copy.policy);
  const evicted = new Set(without.evictions.map(({ victim }) => victim));
  const started = new Set(without.starts.map(({ jobId }) => jobId));
  return {
    evictions: then.evictions.filter(({ victim }) => !evicted.has(victim)),
    starts: then.starts.map(({ jobId }) => jobId).filter((id) => !started.has(id)),
    stranded: strandedBy(copy, without, then),
  };
}

function strandedBy(
  state: ClusterState,
  without: Plan,
  then: Plan,
): ReadonlyMap<QueuePath, readonly JobId[]> {
  const stranded = new Map<QueuePath, JobId[]>();
  for (const id of state.pending.ids()) {
    if (!isForEver(then.holds.of(id)) || isForEver(without.holds.of(id))) continue;
    const { queue } = jobOf(state, id).spec;
    const before = stranded.get(queue);
    if (before === undefined) stranded.set(queue, [id]);
    else before.push(id);
  }
  return stranded;
}

/** As far as limits go: whoever may be placed at all. */
function isForEver(hold: Hold | null): boolean {
  if (hold?.code === "EXCEEDS_QUEUE_LIMIT") return true;
  const isOwner = hold?.code === "TENANT_LIMIT" || hold?.code === "USER_LIMIT";
  return isOwner && hold.asked > hold.limit;
}
