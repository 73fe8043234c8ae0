// For tests: a process that has a store open and appends to it. Not part of the program.
// Arguments: folder, and how many appends of 100 rows, or `hold` to only have it open.
// Prints the last acknowledged number after each append. Exit code 3: an append failed.

import { StoreEnvironment } from "../../src/store/environment.ts";
import { FORMAT, note, noteLog } from "./store-fixtures.ts";

const [folder = "", count = ""] = process.argv.slice(2);
const environment = await StoreEnvironment.open({ folder, format: FORMAT });
if (count === "hold") {
  process.stdout.write("open\n");
  setInterval(() => undefined, 1_000);
} else {
  await appendMany(Number(count));
}

async function appendMany(appends: number): Promise<void> {
  const log = noteLog(environment);
  let leastMs = Number.POSITIVE_INFINITY;
  for (let done = 0; done < appends; done += 1) {
    const from = log.lastSeq + 1;
    const rows = Array.from({ length: 100 }, (_, at) => note(from + at, null, "x".repeat(200)));
    const startedMs = performance.now();
    try {
      await log.append(rows);
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(3);
    }
    leastMs = Math.min(leastMs, performance.now() - startedMs);
    process.stdout.write(`${log.lastSeq}\n`);
  }
  process.stderr.write(`appends took at least ${leastMs.toFixed(1)} ms\n`);
  await environment.close();
}
