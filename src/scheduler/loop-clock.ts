// The time that the writer loop gives to events: wall-clock milliseconds that never go back. Owns the
// last value given; reads the clocks that it was made with and nothing else.

import type { Clock } from "../base/time.ts";

/** How fast a wrong clock is followed: an eighth of the time that really passes. */
const SLEW_DIVISOR = 8;
/** From here on people are told, since start and end times are then visibly wrong. */
const SKEW_TOLD_MS = 5_000;
const SKEW_SETTLED_MS = 1_000;

export interface ClockState {
  /** With fractions; events get the floor. */
  readonly nowMs: number;
  readonly monotonicMs: number;
}

export interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/**
 * The next value. Time passes by the monotonic clock; a wall clock that says otherwise, since it
 * drifts or was set, is approached at an eighth of that speed. So a jump of an hour in either
 * direction neither ends every deadline at once nor stops time, and is made good within a day.
 */
export function advanceClock(state: ClockState, reading: ClockReading): ClockState {
  const elapsedMs = Math.max(0, reading.monotonicMs - state.monotonicMs);
  const errorMs = reading.wallMs - (state.nowMs + elapsedMs);
  const slewMaxMs = elapsedMs / SLEW_DIVISOR;
  const slewMs = Math.min(slewMaxMs, Math.max(-slewMaxMs, errorMs));
  return { nowMs: state.nowMs + elapsedMs + slewMs, monotonicMs: reading.monotonicMs };
}

export interface LoopClockOptions {
  readonly source: Clock;
  /** Time of the newest event in the log: nothing is ever dated before it. */
  readonly notBeforeMs: number;
  /** Called when the wall clock has come to lie more than 5 s off; again only after it was right. */
  readonly onSkew: (skewMs: number) => void;
}

export class LoopClock {
  readonly #options: LoopClockOptions;
  #state: ClockState;
  #skewMs = 0;
  #isTold = false;

  constructor(options: LoopClockOptions) {
    this.#options = options;
    const wallMs = options.source.nowMs();
    const nowMs = Math.max(wallMs, options.notBeforeMs);
    this.#state = { nowMs, monotonicMs: options.source.monotonicMs() };
  }

  /** Whole milliseconds since 1970, never smaller than before. */
  nowMs(): number {
    const { source } = this.#options;
    const reading = { wallMs: source.nowMs(), monotonicMs: source.monotonicMs() };
    this.#state = advanceClock(this.#state, reading);
    this.#watch(reading.wallMs - this.#state.nowMs);
    return Math.floor(this.#state.nowMs);
  }

  /** How far the wall clock lay ahead of this one at the last reading; negative when behind. */
  skewMs(): number {
    return this.#skewMs;
  }

  #watch(skewMs: number): void {
    this.#skewMs = skewMs;
    const size = Math.abs(skewMs);
    if (size < SKEW_SETTLED_MS) this.#isTold = false;
    if (size <= SKEW_TOLD_MS || this.#isTold) return;
    this.#isTold = true;
    this.#options.onSkew(skewMs);
  }
}
