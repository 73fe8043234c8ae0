// What an agent knows of its scheduler: the lease, and the newest desired state. Pure; the session
// feeds it with what comes over the stream.

import type { Desired } from "./actions.ts";
import { heartbeatAcked, heartbeatSent, type Lease, NO_LEASE, resumed, welcomed } from "./lease.ts";

export interface Link {
  readonly lease: Lease;
  /** Null until this stream's first one: what an earlier stream said may be out of date. */
  readonly desired: Desired | null;
}

export const NEW_LINK: Link = { lease: NO_LEASE, desired: null };

/** A restarted agent: what it adopts may go on until the lease that was in force ends. */
export function resumedLink(leaseUntilMs: number): Link {
  return { lease: resumed(leaseUntilMs), desired: null };
}

/** `helloSentAtMs` and every other time here are by the agent's boot clock. */
export function linkWelcomed(link: Link, helloSentAtMs: number, leaseMs: number): Link {
  // The old desired state is dropped: while the lease was away its tasks may have been placed
  // elsewhere, so nothing may start from it. What runs goes on until the new one comes.
  return { lease: welcomed(link.lease, helloSentAtMs, leaseMs), desired: null };
}

export function linkHeartbeatSent(link: Link, seq: number, nowMs: number): Link {
  return { ...link, lease: heartbeatSent(link.lease, seq, nowMs) };
}

export function linkHeartbeatAcked(link: Link, seq: number): Link {
  return { ...link, lease: heartbeatAcked(link.lease, seq) };
}

/** A generation that is older than the one in force changes nothing. */
export function linkDesired(link: Link, desired: Desired): Link {
  if (link.desired !== null && desired.generation < link.desired.generation) return link;
  return { ...link, desired };
}

/** For the next report: the newest desired state acted on; 0 = none on this stream. */
export function generationOf(link: Link): number {
  return link.desired?.generation ?? 0;
}
