// Runs the simulation by hand: one seed with its trace, or a range of seeds.
//
//   npx tsx scripts/sim.ts --seed 7 --trace        what happened in seed 7, line by line
//   npx tsx scripts/sim.ts --seed 1 --count 1000   seeds 1 to 1000, each twice

import { parseArgs } from "node:util";
import { replayCommand, simulate, simulateTwice } from "../src/sim/simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});
const first = wholeNumber("seed", values.seed);
const count = wholeNumber("count", values.count);

if (values.trace) traceOne(first);
else runMany();

function traceOne(seed: number): void {
  const result = simulate({ seed, keepsLines: true });
  for (const line of result.lines) console.log(line);
  console.log(`seed ${seed}: ${result.violation ?? "every promise held"} (${result.digest})`);
  process.exitCode = result.violation === null ? 0 : 1;
}

function runMany(): void {
  const startedMs = performance.now();
  let eventCount = 0;
  let failedCount = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = simulateTwice(seed);
    eventCount += 2 * result.eventCount;
    if (result.violation === null) continue;
    failedCount += 1;
    console.error(`seed ${seed}: ${result.violation}\n  ${replayCommand(seed)}`);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const rate = `${Math.round(count / seconds)} seeds/s, ${Math.round(eventCount / seconds)} events/s`;
  console.log(`${count} seeds twice, ${eventCount} events, ${failedCount} failed; ${rate}`);
  process.exitCode = failedCount === 0 ? 0 : 1;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} "${text}" is not a whole number. Give one from 0 on.`);
  process.exit(2);
}
