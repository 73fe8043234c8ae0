// Decayed use of a queue: what it used counts half after each half-life. Owns the one formula; who
// stores the result and when is not its business.

/**
 * GPU milliseconds charged at `nowMs`: `usageGpuMs` as it stood at `usageAtMs`, decayed since, and
 * what `allocatedGpus` used in between, decayed as it accrued. It tends to `allocatedGpus *
 * usageTimeConstantMs(halfLifeMs)` while nothing changes.
 *
 * A whole number, at least 0; a clock that ran backwards charges nothing. Each call rounds by at
 * most half a GPU millisecond, so even a charge for one millisecond of one GPU is kept.
 * `halfLifeMs` 0 = the past does not count: always 0.
 */
export function chargedUsage(
  usageGpuMs: number,
  usageAtMs: number,
  allocatedGpus: number,
  nowMs: number,
  halfLifeMs: number,
): number {
  if (halfLifeMs <= 0) return 0;
  const elapsedMs = Math.max(0, nowMs - usageAtMs);
  if (elapsedMs === 0) return usageGpuMs;
  const timeConstantMs = halfLifeMs / Math.LN2;
  // expm1 keeps the digits that 1 - exp(-x) loses when a millisecond meets a half-life of days.
  const decayed = -Math.expm1(-elapsedMs / timeConstantMs);
  const kept = usageGpuMs * (1 - decayed);
  return Math.max(0, Math.round(kept + allocatedGpus * timeConstantMs * decayed));
}

/** Whole milliseconds by which a GPU held for ever is charged; 0 when the past does not count. */
export function usageTimeConstantMs(halfLifeMs: number): number {
  return halfLifeMs <= 0 ? 0 : Math.round(halfLifeMs / Math.LN2);
}
