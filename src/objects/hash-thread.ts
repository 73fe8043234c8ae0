// Hashes large files on a thread of its own, so that tens of gigabytes never hold up the event loop on
// which leases are renewed. One thread for the process, started when there is something for it to do.

import { Worker } from "node:worker_threads";
import { assert } from "../base/assert.ts";
import { Fault } from "../base/errors.ts";
import type { HashAnswer, HashOrder } from "./digest-worker.ts";

/** sha256 of bytes that come piece by piece. */
export interface RunningHash {
  /** The bytes are the hash's until this resolves. */
  update(bytes: Uint8Array): Promise<void>;
  /** In hexadecimal. Ends the hash. */
  digest(): Promise<string>;
  /** Ends it without a result; after `digest` it does nothing. */
  drop(): void;
}

interface Waiting {
  readonly resolve: (answer: HashAnswer) => void;
  readonly reject: (error: unknown) => void;
}

class HashThread {
  /** Answers come in the order of the questions. */
  #waiting: Waiting[] = [];
  #worker: Worker | null = null;
  #hashLast = 0;

  /**
   * Takes only bytes in shared memory: others would be copied on their way to the thread. Its calls
   * reject with a retryable `LOCAL_FILE` when the thread ended.
   */
  begin(): RunningHash {
    const hash = (this.#hashLast += 1);
    const worker = (this.#worker ??= this.#start());
    return {
      update: async (bytes) => {
        assert(bytes.buffer instanceof SharedArrayBuffer, "the bytes to hash are shared");
        await this.#ask(worker, { kind: "update", hash, bytes });
      },
      digest: () => this.#ask(worker, { kind: "digest", hash }),
      drop: () => worker.postMessage({ kind: "drop", hash } satisfies HashOrder),
    };
  }

  /** A hash that was begun on a thread that ended is lost: another one has not seen its bytes. */
  #ask(worker: Worker, order: HashOrder): Promise<HashAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#worker !== worker) return reject(threadEnded(null));
      this.#waiting.push({ resolve, reject });
      // While somebody waits for it, it keeps the process alive.
      worker.ref();
      worker.postMessage(order);
    });
  }

  #start(): Worker {
    const worker = new Worker(...entry());
    worker.unref();
    worker.on("message", (answer: HashAnswer) => {
      this.#waiting.shift()?.resolve(answer);
      if (this.#waiting.length === 0) worker.unref();
    });
    // Out of memory, say: who waits tries again later, on a new thread.
    worker.on("error", (error) => this.#ended(worker, error));
    worker.on("exit", () => this.#ended(worker, null));
    return worker;
  }

  #ended(worker: Worker, error: Error | null): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(threadEnded(error));
  }
}

function threadEnded(error: Error | null): Fault {
  const why = error === null ? "" : `: ${error.message}`;
  return new Fault("LOCAL_FILE", `The thread that hashes files has ended${why}.`, { cause: error });
}

export const HASH_THREAD = new HashThread();

/** Compiled; in development through tsx, whose loader does not reach into threads by itself. */
function entry(): ConstructorParameters<typeof Worker> {
  if (!import.meta.url.endsWith(".ts")) return [new URL("./digest-worker.js", import.meta.url)];
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const file = JSON.stringify(new URL("./digest-worker.ts", import.meta.url).href);
  const code = `import(${loader}).then(({ tsImport }) => tsImport(${file}, ${file}))`;
  return [code, { eval: true }];
}
