// Timers that tests can turn by hand, and the one alarm of the loop.

export interface TimerPort {
  /** Runs `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const REAL_TIMERS: TimerPort = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Node runs timers beyond 2^31 ms at once; an early ring only looks and sets the alarm again. */
const DELAY_MS_MAX = 3_600_000;

/** Rings at the earliest instant that it was set to last. */
export class Alarm {
  readonly #timers: TimerPort;
  readonly #ring: () => void;
  #cancel: (() => void) | null = null;

  constructor(timers: TimerPort, ring: () => void) {
    this.#timers = timers;
    this.#ring = ring;
  }

  /** Replaces what was set before; null = never. At least 1 ms ahead. */
  set(delayMs: number | null): void {
    this.#cancel?.();
    this.#cancel = null;
    if (delayMs === null) return;
    const delay = Math.min(DELAY_MS_MAX, Math.max(1, Math.ceil(delayMs)));
    this.#cancel = this.#timers.after(delay, () => {
      this.#cancel = null;
      this.#ring();
    });
  }
}

/** Lets everything that is due in this turn of the event loop run: sockets, replies, timers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
