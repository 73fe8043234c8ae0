// Everything that one bench starts or writes, so that nothing of it is left: processes are ended by
// their ids, folders removed. Knows nothing of what they are for.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An orderly end takes a moment; after this a process is killed. */
const END_MS = 5_000;

export class Stage {
  readonly #endings: (() => Promise<void>)[] = [];

  /** An empty folder under the system's temp folder. */
  async tempDir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), "trainyard-bench-"));
    this.#endings.push(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
    return dir;
  }

  /** The process ends with the stage, unless it ended before. */
  own(child: ChildProcess): ChildProcess {
    this.#endings.push(() => endProcess(child));
    return child;
  }

  /** Called when the stage is cleared, before what was there earlier. */
  onClear(end: () => Promise<void> | void): void {
    this.#endings.push(async () => end());
  }

  /** Ends everything, the newest first. What cannot be ended is said and does not stop the rest. */
  async clear(): Promise<void> {
    for (const end of this.#endings.splice(0).reverse()) {
      await end().catch((error: unknown) => console.error("not cleared away:", error));
    }
  }
}

/** Asks with `signal`, and kills what does not follow. Resolves when the process is gone. */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals = "SIGTERM",
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  const kill = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await exited;
  clearTimeout(kill);
}
