// The scheduler's log for those who only look back: of a data folder, also of a live scheduler's, or of
// a file with one event a line. Never writes.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RefusalError, refuse } from "../base/errors.ts";
import { StoreEnvironment } from "../store/environment.ts";
import { EventLog } from "../store/event-log.ts";
import { Snapshots } from "../store/snapshots.ts";
import { createState } from "./core/apply.ts";
import { jobOfEvent, type LoggedEvent } from "./core/events.ts";
import { decodeState } from "./core/snapshot.ts";
import type { MutableClusterState } from "./core/state.ts";
import { decodeEvent, SCHEDULER_FORMAT } from "./loop-store.ts";

export interface History {
  /** Before the first of `events`. */
  readonly state: MutableClusterState;
  readonly events: Iterable<LoggedEvent> | AsyncIterable<LoggedEvent>;
  close(): Promise<void>;
}

/**
 * `path` is the scheduler's data folder, the `log` folder in it, or a file of JSON lines. Events that
 * were trimmed are not in it: then it begins with the oldest snapshot.
 *
 * Throws `LOCAL_FILE` when there is nothing to read, `DATA_LOG_CORRUPT` when it cannot be read.
 */
export async function openHistory(path: string): Promise<History> {
  const found = await stat(path).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = "Name the scheduler's data folder, or a file with one event a line.";
    throw new RefusalError(refuse("LOCAL_FILE", `${path} can't be read: ${reason}.`, remedy));
  });
  if (found.isFile()) {
    return { state: createState(), events: readLines(path), close: () => Promise.resolve() };
  }
  const below = join(path, "log");
  const isFolderOfLog = await stat(below).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  return openFolder(isFolderOfLog ? below : path);
}

async function openFolder(folder: string): Promise<History> {
  const environment = await StoreEnvironment.openToRead({ folder, format: SCHEDULER_FORMAT });
  const log = new EventLog({
    environment,
    decode: decodeEvent,
    indexKey: (row: LoggedEvent) => jobOfEvent(row.event),
  });
  const snapshots = new Snapshots({ environment, onUnusable: () => undefined });
  const isTrimmed = log.firstSeq > 1;
  const oldest = isTrimmed ? snapshots.load(decodeState, "oldest") : null;
  const state = oldest?.value ?? createState();
  return { state, events: log.read(state.seq + 1), close: () => environment.close() };
}

async function* readLines(path: string): AsyncGenerator<LoggedEvent> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path, "utf8") })) {
    line += 1;
    if (text.trim() === "") continue;
    let event: LoggedEvent;
    try {
      event = decodeEvent(JSON.parse(text));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const remedy = "A file of history has one event of the log a line, from the first on.";
      throw new RefusalError(refuse("DATA_LOG_CORRUPT", `${path}:${line}: ${reason}.`, remedy));
    }
    yield event;
  }
}
