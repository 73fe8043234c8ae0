// How long to wait before dialling again. Full jitter, so that five hundred agents do not come back
// in the same second after a restart of the scheduler.

/** First bound, and the largest, in milliseconds. */
const BASE_MS = 200;
const MAX_MS = 10_000;

/** `failures` since the last success, from 1; `unit` uniform in [0, 1). At least 20 ms. */
export function backoffMs(failures: number, unit: number): number {
  const bound = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures - 1, 16));
  return Math.max(20, Math.floor(unit * bound));
}
