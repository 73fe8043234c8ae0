// The real clocks. Part of the composition root: everything else is given one.

import type { Clock } from "./base/time.ts";

export const REAL_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
