// Replays a log from a data folder or a file. What is compared is the core's (core/replay.ts).

import { Replay, type ReplaySummary } from "./core/replay.ts";
import type { HistoryPorts } from "./scene.ts";

/** @throws RefusalError when there is no log, Fault when it cannot be read. */
export async function replay(path: string, ports: HistoryPorts): Promise<ReplaySummary> {
  const history = await ports.openHistory(path);
  try {
    const run = new Replay(history.state);
    for await (const event of history.events) if (!run.next(event)) break;
    return run.finish();
  } finally {
    await history.close();
  }
}
