// Looks at the free space of the agent's state folder and says when the node's condition changes.
// Decides nothing about tasks: what runs goes on, and what is new the scheduler keeps away.

import { statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import type { NodeCondition } from "../scheduler/core/state.ts";
import { type DiskThresholds, diskFullCondition, isDiskFull } from "./core/disk.ts";
import type { AgentLog } from "./ports.ts";

export interface DiskWatchOptions {
  readonly folder: string;
  readonly limits: DiskThresholds;
  readonly log: AgentLog;
  /** `conditions` gives something else than before. */
  readonly onChange: () => void;
}

/** So little is left that nothing can be written. */
const SPENT_BYTES = 256 * 1024;
const LOOK_MS = 5_000;

export class DiskWatch {
  readonly #options: DiskWatchOptions;
  #timer: NodeJS.Timeout | null = null;
  #freeBytes: number | null = null;
  #isFull = false;
  #conditions: readonly NodeCondition[] = [];

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** Resolves after the first look: what the agent says first is true. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
    await this.look();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Bytes as of the last look; null before it. */
  get freeBytes(): number | null {
    return this.#freeBytes;
  }

  get conditions(): readonly NodeCondition[] {
    return this.#conditions;
  }

  /** A task found no room: the node is full at once, until a later look finds enough. */
  noRoom(): void {
    this.#set(true);
  }

  /**
   * Whether the disk is to blame for a process that failed just now. Its own words about it count
   * while there is little room; with none at all they found no room either.
   */
  isToBlame(saysNoSpace: boolean): boolean {
    const { folder, limits } = this.#options;
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < (saysNoSpace ? limits.minBytes : SPENT_BYTES);
  }

  async look(): Promise<void> {
    const { folder, limits, log } = this.#options;
    try {
      const { bavail, bsize } = await statfs(folder);
      this.#freeBytes = bavail * bsize;
      this.#set(isDiskFull(this.#isFull, this.#freeBytes, limits));
    } catch (error) {
      log.error({ folder, error: String(error) }, "free space unknown");
    }
  }

  #set(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    const { folder, limits, log, onChange } = this.#options;
    const freeBytes = this.#freeBytes ?? 0;
    this.#isFull = isFull;
    this.#conditions = isFull ? [diskFullCondition(folder, freeBytes, limits)] : [];
    if (isFull) log.error({ folder, freeBytes }, "disk full: no new tasks");
    else log.info({ folder, freeBytes }, "enough space again: new tasks are welcome");
    onChange();
  }
}
