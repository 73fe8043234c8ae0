// What a bench is: measures one thing on real parts, prints its results through report.ts, and leaves
// whatever it started to its stage, which ends it also when the bench breaks off or takes too long.

import type { Stage } from "./stage.ts";

export interface Bench {
  /** As on the command line. */
  readonly name: string;
  readonly summary: string;
  /** After this it counts as failed and is cleared away. */
  readonly limitMs: number;
  run(stage: Stage): Promise<void> | void;
}
