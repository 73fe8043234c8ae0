// Shares that hold over a window, not at each moment: each queue has an account of what it was due less
// what it had, bounded to a part of a window's due either way. What it may have of the cluster now is
// what it is due and what settles the account in a part of the window. So a gang that is larger than its
// queue's share gets a turn as the account grows, and gives way when it has sunk.
//
// Owns the formulas; what was due is noted by note-shares.ts.

import type { Policy, Queue } from "./state.ts";

const MILLI = 1_000;
/** An account is bounded to this part of what is due in a window. */
const BOUND = 10;
/** What it holds is to be settled in this part of a window. */
const SETTLED_IN = 6;
/** Dues are noted so often in a window. */
const NOTES = 144;

/**
 * What a queue was due less what it had, in GPU milliseconds, up to `nowMs`. A whole number. 0 while
 * nobody waits for others, and where shares hold at each moment.
 */
export function chargedAccount(
  { accountGpuMs, noted, allocated, usageAtMs }: Queue,
  nowMs: number,
  { shareWindowMs }: Pick<Policy, "shareWindowMs">,
): number {
  if (shareWindowMs === 0 || noted === null) return 0;
  const elapsedMs = nowMs - usageAtMs;
  if (elapsedMs <= 0) return accountGpuMs;
  const { dueMilliGpus } = noted;
  const most = Math.floor((dueMilliGpus * shareWindowMs) / (BOUND * MILLI));
  const moved = Math.round((dueMilliGpus / MILLI - allocated.gpus) * elapsedMs);
  return Math.max(-most, Math.min(most, accountGpuMs + moved));
}

/** GPUs that a queue may have now, whose due is that and whose account stands so. */
export function entitledGpus(
  dueMilliGpus: number,
  accountGpuMs: number,
  { shareWindowMs }: Pick<Policy, "shareWindowMs">,
): number {
  if (shareWindowMs === 0) return Math.floor(dueMilliGpus / MILLI);
  const settled = (accountGpuMs * SETTLED_IN) / shareWindowMs;
  return Math.max(0, Math.round(dueMilliGpus / MILLI + settled));
}

/** How long what was noted holds. */
export const noteIntervalMs = ({ shareWindowMs }: Pick<Policy, "shareWindowMs">): number =>
  Math.max(1, Math.floor(shareWindowMs / NOTES));
