// The clock of one machine: it runs a little fast or slow, counts on while the machine is suspended
// (like CLOCK_BOOTTIME), and starts again at zero with each boot.

import type { Timeline, Timer } from "./timeline.ts";

/** Far more than the few parts in a million of real quartz. */
export const DRIFT_MAX_PPM = 500;

export class HostClock {
  private readonly timeline: Timeline;
  private readonly rate: number;
  private bootedAtMs: number;

  /** `driftPpm`: how many millionths it runs fast; negative = slow. */
  constructor(timeline: Timeline, driftPpm: number) {
    this.timeline = timeline;
    this.rate = 1 + driftPpm / 1_000_000;
    this.bootedAtMs = timeline.nowMs;
  }

  /** Milliseconds since the boot. */
  bootMs(): number {
    return Math.floor((this.timeline.nowMs - this.bootedAtMs) * this.rate);
  }

  reboot(): void {
    this.bootedAtMs = this.timeline.nowMs;
  }

  /** Runs once `bootMs()` has reached `atBootMs`. */
  at(atBootMs: number, run: () => void): Timer {
    return this.timeline.after((atBootMs - this.bootMs()) / this.rate + 1, run);
  }
}
