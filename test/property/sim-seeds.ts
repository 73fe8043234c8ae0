// Runs a share of the seeds of one test run, so that two test files use two cores. Says beforehand what
// it is going to run, and afterwards how much it looked at.

import { replayCommand, simulateTwice } from "../../src/sim/simulate.ts";

const SEEDS_DEFAULT = 2_000;
/** A failure shows this many seeds; one is enough to begin with. */
const SHOWN_MAX = 5;

export interface ShareResult {
  /** One paragraph for each seed that failed, with the command that replays it. */
  readonly failures: readonly string[];
  /** The smallest of what was counted: 0 = something was not looked at at all. */
  readonly lookedAt: number;
}

/** Seeds 1 to `TRAINYARD_SIM_SEEDS`, every `shares`th of them, each run twice. */
export function runShare(share: number, shares: number): ShareResult {
  const seedMax = seedCount();
  console.log(`simulating every ${shares}th seed of ${1 + share}..${seedMax}, each twice`);
  const failures: string[] = [];
  let [runCount, eventCount, loggedCount, checkCount, replayedCount] = [0, 0, 0, 0, 0];
  for (let seed = 1 + share; seed <= seedMax; seed += shares) {
    const result = simulateTwice(seed);
    runCount += 1;
    eventCount += result.eventCount;
    loggedCount += result.loggedCount;
    checkCount += result.checkCount;
    replayedCount += result.replayedCount;
    if (result.violation === null) continue;
    failures.push(`seed ${seed}: ${result.violation}\n  replay: ${replayCommand(seed)}`);
    if (failures.length >= SHOWN_MAX) break;
  }
  console.log(
    `${runCount} seeds, ${eventCount} events, ${loggedCount} log rows, invariants looked at ` +
      `${checkCount} times, ${replayedCount} planning passes replayed from the logs`,
  );
  const counts = [runCount, eventCount, loggedCount, checkCount, replayedCount];
  return { failures, lookedAt: Math.min(...counts) };
}

function seedCount(): number {
  const text = process.env["TRAINYARD_SIM_SEEDS"] ?? String(SEEDS_DEFAULT);
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`TRAINYARD_SIM_SEEDS "${text}" is not a whole number above 0.`);
}
