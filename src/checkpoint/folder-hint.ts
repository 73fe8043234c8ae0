// Hears that something happened in a folder. A hint only: it hears nothing of deeper folders, of
// some network file systems, or of a folder that does not exist yet.

import { type FSWatcher, watch } from "node:fs";
import type { Alarm } from "./alarm.ts";
import { errnoOf } from "../objects/faults.ts";

export class FolderHint {
  readonly #dir: string;
  readonly #alarm: Alarm;
  #watcher: FSWatcher | null = null;

  constructor(dir: string, alarm: Alarm) {
    this.#dir = dir;
    this.#alarm = alarm;
    this.renew();
  }

  /** Listens again when it could not before. */
  renew(): void {
    if (this.#watcher !== null) return;
    try {
      const watcher = watch(this.#dir, { persistent: false }, () => this.#alarm.ring());
      watcher.on("error", () => this.close());
      this.#watcher = watcher;
    } catch (error) {
      // Not there yet, or out of inotify watches: polling goes on without.
      if (errnoOf(error) === null) throw error;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
