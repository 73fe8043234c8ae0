// Child process for the crash tests: opens a tracker and stores one source's points batch by batch,
// printing each acknowledged position, until it is killed, at a crash point or from outside.
//
//   tracker-child.ts FOLDER [CRASH-POINT AFTER-PASSES]

import { Tracker } from "../../src/tracker/tracker.ts";
import type { TrackerCrashPoint } from "../../src/tracker/writer.ts";
import { batchOf } from "../property/tracker-world.ts";
import { POINTS_A_BATCH, pointAt, SOURCE } from "./tracker-stream.ts";

const [folder = "", crashPoint, passes] = process.argv.slice(2);
let left = Number(passes ?? 0);

function onPoint(point: TrackerCrashPoint): void {
  if (point !== crashPoint) return;
  left -= 1;
  if (left <= 0) process.kill(process.pid, "SIGKILL");
}

async function main(): Promise<void> {
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const tracker = await Tracker.open({ folder, clock, ids: () => "unused", crashPoint: onPoint });
  let position = tracker.sourcePosition(SOURCE);
  for (;;) {
    const batches = Array.from({ length: 4 }, (_, i) => batchFrom(position + i * POINTS_A_BATCH));
    const acks = await Promise.all(batches.map((batch) => tracker.storeBatch(batch)));
    position = acks.at(-1)?.position ?? position;
    process.stdout.write(`${position}\n`);
  }
}

function batchFrom(from: number): ReturnType<typeof batchOf> {
  const points = Array.from({ length: POINTS_A_BATCH }, (_, i) => pointAt(from + i));
  return batchOf({ source: SOURCE, from, to: from + POINTS_A_BATCH, points });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
