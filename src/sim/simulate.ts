// Runs seeds, each twice, and says what was seen. The entry for tests and for the script.

import { Violation } from "./violation.ts";
import { type RunOptions, World } from "./world.ts";

export interface SeedResult {
  readonly seed: number;
  /** Over everything that happened: the same for the same seed. */
  readonly digest: string;
  readonly eventCount: number;
  readonly loggedCount: number;
  /** How often the invariants were looked at. */
  readonly checkCount: number;
  /** Planning passes that came out of the log again, byte for byte. */
  readonly replayedCount: number;
  /** Null = every promise held. */
  readonly violation: string | null;
  /** Empty unless they were asked for. */
  readonly lines: readonly string[];
}

export function simulate(options: RunOptions): SeedResult {
  const world = new World(options);
  const violation = violationOf(world);
  return {
    seed: options.seed,
    digest: world.trace.digest(),
    eventCount: world.eventCount,
    loggedCount: world.loggedCount,
    checkCount: world.checks.invariantCount,
    replayedCount: world.replayedCount,
    violation,
    lines: world.trace.lines ?? [],
  };
}

/** Two runs of one seed that differ are a violation too: something reads a clock or a global. */
export function simulateTwice(seed: number): SeedResult {
  const first = simulate({ seed });
  const second = simulate({ seed, decidesAgain: false });
  if (first.violation !== null || first.digest === second.digest) return first;
  const violation = `two runs differ: ${first.digest} and ${second.digest}`;
  return { ...first, violation };
}

/** What a person types to see the seed again. */
export function replayCommand(seed: number): string {
  return `npx tsx scripts/sim.ts --seed ${seed} --trace`;
}

function violationOf(world: World): string | null {
  try {
    world.run();
    return null;
  } catch (error) {
    // A failed assertion of a core is as much a broken promise as one of the world's own.
    if (error instanceof Violation) return error.message;
    if (error instanceof Error) return `${error.name}: ${error.message}\n${error.stack ?? ""}`;
    throw error;
  }
}
