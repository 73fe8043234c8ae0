// How far two wall clocks are apart, measured over a network (Cristian's method): somewhere between
// the question and the answer the other clock was read, so half of the round trip bounds the error.

/** The clock is ahead by `aheadMs` (negative = behind), give or take `errorMs`. */
export interface ClockOffset {
  readonly aheadMs: number;
  readonly errorMs: number;
}

export interface ClockReading {
  /** From the question to its answer, by a clock that nobody sets. */
  readonly roundTripMs: number;
  /** Our wall clock when the answer came, in milliseconds since 1970. */
  readonly oursMs: number;
  /** What the other's wall clock said when it answered. */
  readonly theirsMs: number;
}

/** How far our clock is ahead of the other one. */
export function clockOffset({ roundTripMs, oursMs, theirsMs }: ClockReading): ClockOffset {
  const halfMs = roundTripMs / 2;
  // Both clocks are told in whole milliseconds.
  return { aheadMs: Math.round(oursMs - halfMs - theirsMs), errorMs: Math.ceil(halfMs) + 1 };
}

/** The one that is known best; null of none. */
export function closest(offsets: readonly ClockOffset[]): ClockOffset | null {
  let best: ClockOffset | null = null;
  for (const one of offsets) if (best === null || one.errorMs < best.errorMs) best = one;
  return best;
}

/** Milliseconds by which the clocks are apart at the very least. */
export function surelyApartMs({ aheadMs, errorMs }: ClockOffset): number {
  return Math.max(0, Math.abs(aheadMs) - errorMs);
}
