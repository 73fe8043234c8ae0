// What a part of a daemon wants to know again after a restart, and can do without: one JSON document
// for each name, each write in place of the one before. Owns the table `notes`.

import type { StoreEnvironment, TextTable } from "./environment.ts";

export class Notes {
  readonly #environment: StoreEnvironment;
  readonly #table: TextTable;

  constructor(environment: StoreEnvironment) {
    this.#environment = environment;
    this.#table = environment.table("notes");
  }

  /** Null when there is none, or it cannot be read. */
  read(name: string): unknown {
    const text = this.#table.get(name);
    if (text === undefined) return null;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return null; // As good as lost: see above.
    }
  }

  /** Resolves when it is on disk; throws `DATA_NOT_WRITTEN`. */
  async write(name: string, value: unknown): Promise<void> {
    await this.#environment.commit(() => void this.#table.put(name, JSON.stringify(value)));
  }
}
