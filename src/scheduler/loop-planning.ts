// How often the writer loop plans. Owns the pacing; what calls for a pass at all is the core's
// (plan-changes.ts).

/** After a pass of t ms the next one waits 2 t: planning takes a third of the time at most. */
const PAUSE_PER_PASS = 2;
/** In a burst it takes a tenth: what comes in is to be acknowledged first, and is planned soon after. */
const PAUSE_PER_PASS_BURST = 9;
/** Commands since the pass before that make a burst. */
const BURST_COMMANDS = 64;
/** So that a slow pass does not put off the next one for ever. */
const PAUSE_MS_MAX = 1_000;

/**
 * Keeps planning from eating the time of commands under load, and commands from starving planning:
 * the pause has an end, whatever else waits. When nothing was planned lately there is no pause.
 */
export class PlanPacer {
  #notBeforeMs = 0;
  #commands = 0;

  decided(commands: number): void {
    this.#commands += commands;
  }

  passed(startedMs: number, endedMs: number): void {
    const perPass = this.#commands >= BURST_COMMANDS ? PAUSE_PER_PASS_BURST : PAUSE_PER_PASS;
    this.#notBeforeMs = endedMs + Math.min(PAUSE_MS_MAX, perPass * (endedMs - startedMs));
    this.#commands = 0;
  }

  /** Monotonic milliseconds until the next pass may start; 0 = now. */
  waitMs(monotonicMs: number): number {
    return Math.max(0, this.#notBeforeMs - monotonicMs);
  }
}
