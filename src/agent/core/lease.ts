// How long this agent may run its tasks without hearing from the scheduler. Runs from the moment a
// heartbeat was SENT: the scheduler got it later, so the agent's lease always ends first.

import { assert } from "../../base/assert.ts";

/** Times are by the agent's boot clock. */
export interface LeaseView {
  /** From here on nothing may run or start. */
  readonly untilMs: number;
}

export interface Lease extends LeaseView {
  readonly leaseMs: number;
  /** Heartbeats of this stream that are not acknowledged, oldest first. */
  readonly sent: ReadonlyMap<number, number>;
}

/** Before the first welcome, nothing may run. */
export const NO_LEASE: Lease = { untilMs: 0, leaseMs: 0, sent: new Map() };

/** Unacknowledged heartbeats remembered; an ack for an older one is worth nothing anyway. */
export const HEARTBEATS_MAX = 64;

/** Part of the lease kept back: killing takes a moment, and clocks differ by a few in a million. */
export function killMarginMs(leaseMs: number): number {
  return Math.min(2_000, Math.floor(leaseMs / 10));
}

/** A new stream: the hello counts as a heartbeat. */
export function welcomed(lease: Lease, helloSentAtMs: number, leaseMs: number): Lease {
  assert(leaseMs > 0, `lease of ${leaseMs} ms`);
  return { leaseMs, sent: new Map(), untilMs: extended(lease, helloSentAtMs, leaseMs) };
}

/** What a restarted agent finds in its state folder goes on until then. */
export function resumed(untilMs: number): Lease {
  return { ...NO_LEASE, untilMs };
}

export function heartbeatSent(lease: Lease, seq: number, nowMs: number): Lease {
  const sent = new Map(lease.sent);
  sent.set(seq, nowMs);
  for (const oldest of sent.keys()) {
    if (sent.size <= HEARTBEATS_MAX) break;
    sent.delete(oldest);
  }
  return { ...lease, sent };
}

/** An ack of a heartbeat that was never sent, or long ago, changes nothing. */
export function heartbeatAcked(lease: Lease, seq: number): Lease {
  const sentAtMs = lease.sent.get(seq);
  if (sentAtMs === undefined) return lease;
  const sent = new Map([...lease.sent].filter(([other]) => other > seq));
  return { ...lease, sent, untilMs: extended(lease, sentAtMs, lease.leaseMs) };
}

export function isExpired(lease: LeaseView, nowMs: number): boolean {
  return nowMs >= lease.untilMs;
}

function extended(lease: Lease, sentAtMs: number, leaseMs: number): number {
  return Math.max(lease.untilMs, sentAtMs + leaseMs - killMarginMs(leaseMs));
}
