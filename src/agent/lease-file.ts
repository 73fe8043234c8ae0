// The lease, as the supervisors read it: one file for all tasks of this agent.

import { join } from "node:path";
import { readJson, replaceFile } from "./files.ts";
import { bootId } from "./proc.ts";
import { parseLeaseFile } from "./supervisor-protocol.ts";

export class LeaseFile {
  readonly path: string;
  readonly #bootId = bootId();
  #writtenMs = 0;

  constructor(stateDir: string) {
    this.path = join(stateDir, "lease.json");
  }

  /** Boot time in milliseconds until which a lease was in force; 0 = none since the last boot. */
  read(): number {
    const lease = parseLeaseFile(readJson(this.path));
    return lease?.bootId === this.#bootId ? lease.untilBootMs : 0;
  }

  /** Only ever later: a supervisor that has read a date may rely on it. */
  write(untilBootMs: number): void {
    if (untilBootMs <= this.#writtenMs) return;
    replaceFile(this.path, JSON.stringify({ untilBootMs, bootId: this.#bootId }));
    this.#writtenMs = untilBootMs;
  }
}
