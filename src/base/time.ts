// Time as integers. Wall-clock instants are UTC milliseconds since 1970; intervals are milliseconds.

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/**
 * Later than any moment that anybody knows. A number to compare with, and no infinity: two of them
 * are alike, where a difference of infinities is no number. Nothing is added to it.
 */
export const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** The clocks a shell may read; the composition root makes the real one, tests a virtual one. */
export interface Clock {
  /** UTC milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Milliseconds that only grow, also while the host sleeps. For leases and timeouts. */
  monotonicMs(): number;
}
