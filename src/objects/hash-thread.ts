// Hashes large files on a thread of its own, so that tens of gigabytes never hold up the event loop on
// which leases are renewed. One thread for the process, started when there is something for it to do.

import { Worker } from "node:worker_threads";
import { digest } from "../base/ids.ts";
import type { HashAnswer, HashOrder } from "./digest-worker.ts";
import type { Content } from "./port.ts";

interface Waiting {
  readonly resolve: (content: Content) => void;
  readonly reject: (error: unknown) => void;
}

class HashThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #idLast = 0;

  /** Rejects with the file's errno error, or with the signal's reason. */
  async contentOf(path: string, signal?: AbortSignal): Promise<Content> {
    signal?.throwIfAborted();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const id = (this.#idLast += 1);
    const abort = (): void => {
      Atomics.store(stop, 0, 1);
      this.#waiting.get(id)?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        const order: HashOrder = { id, path, stop };
        this.#started().postMessage(order);
      });
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker?.unref();
    }
  }

  /** While somebody waits for it, it keeps the process alive. */
  #started(): Worker {
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    return worker;
  }

  #start(): Worker {
    const worker = new Worker(...entry());
    worker.on("message", (answer: HashAnswer) => this.#answered(answer));
    // Out of memory, say: who waits tries again later, on a new thread.
    worker.on("error", (error) => this.#ended(worker, error));
    worker.on("exit", () => this.#ended(worker, new Error("the hashing thread has ended")));
    return worker;
  }

  #answered(answer: HashAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if ("message" in answer) waiting?.reject(withErrno(answer.message, answer.code));
    else waiting?.resolve({ sizeBytes: answer.sizeBytes, digest: digest(answer.digest) });
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
  }
}

function withErrno(message: string, code: string | null): Error {
  return Object.assign(new Error(message), code === null ? {} : { code, syscall: "read" });
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
