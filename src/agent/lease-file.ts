// The lease, as the supervisors read it: one file for all tasks of this agent.

import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeOver } from "./files.ts";
import { bootId } from "./proc.ts";
import { parseLeaseFile } from "./supervisor-protocol.ts";

export class LeaseFile {
  readonly path: string;
  readonly #spare: string;
  readonly #bootId = bootId();
  #writtenMs = 0;

  constructor(stateDir: string) {
    this.path = join(stateDir, "lease.json");
    this.#spare = join(stateDir, "lease.spare.json");
  }

  /** Boot time in milliseconds until which a lease was in force; 0 = none since the last boot. */
  read(): number {
    const lease = parseLeaseFile(readJson(this.path));
    return lease?.bootId === this.#bootId ? lease.untilBootMs : 0;
  }

  /**
   * Only ever later: a supervisor that has read a date may rely on it. Two files change places, and
   * each is written over where it lies, so a renewal needs no new room: a training that has filled
   * the disk must not lose its lease by that.
   */
  write(untilBootMs: number): void {
    if (untilBootMs <= this.#writtenMs) return;
    const content = JSON.stringify({ untilBootMs, bootId: this.#bootId });
    if (!existsSync(this.path)) writeOver(this.path, content);
    writeOver(this.#spare, content);
    this.#exchange();
    this.#writtenMs = untilBootMs;
  }

  /** A reader sees the old file or the new one, never none. */
  #exchange(): void {
    const old = `${this.#spare}.old`;
    rmSync(old, { force: true });
    linkSync(this.path, old);
    renameSync(this.#spare, this.path);
    renameSync(old, this.#spare);
  }
}
