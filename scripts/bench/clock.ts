// The wall clock in fractions of a millisecond, to compare with what other processes read from it.

/**
 * `Date.now()` is exact when it has just changed; from there the monotonic clock counts on. Good for
 * about a minute, then the two clocks may have drifted apart: make a new one for each measurement.
 */
export function wallClock(): () => number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  const offsetMs = now - performance.now();
  return () => offsetMs + performance.now();
}
