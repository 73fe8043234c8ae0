// What a watch is given: the task to look after, and the parts of the agent that it uses.

import type { JobId } from "../base/ids.ts";
import type { Clock } from "../base/time.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { BlobCache } from "./blob-cache.ts";
import type { QuietPeriods } from "./core/completeness.ts";
import type { ResumeRef } from "./documents-io.ts";
import type { StoredPart } from "./watch-state.ts";

/** The shape of a logger; pino's fits. */
export interface WatchLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface CheckpointWatchDeps {
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly log: WatchLog;
  /** Uploaded files are remembered there for a restore on this node; null = not. */
  readonly cache?: BlobCache | null;
  readonly quiet?: QuietPeriods;
  /**
   * Between looks when nothing happens. Default 1 s; while something is being written, a quarter.
   */
  readonly pollMs?: number;
}

export interface WatchedTask {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  /** Where the script writes. May be made later. */
  readonly dir: string;
  /** Names to look for; empty = the known layouts. */
  readonly patterns: readonly string[];
  /** Processes of the task now: none of them may have a file open for writing. */
  pidsOf(): readonly number[];
  /**
   * The newest committed checkpoint: nothing up to its step is taken, its blobs are not sent again.
   */
  dedupeAgainst(): ResumeRef | null;
  /** Called for each part that is stored, and for those stored before a restart of the agent. */
  onStored(part: StoredPart): void;
  /** Folder for links and state; default: beside `dir`, which is on the same file system. */
  readonly stagingDir?: string;
}
