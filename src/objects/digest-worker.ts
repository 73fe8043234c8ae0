// The thread that hashes large files: reads them from the start to the end and says what they are.
// One after the other; see `HashThread`.

import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { errnoOf } from "./faults.ts";

/** `stop[0]` other than 0 = nobody waits for it any more. */
export interface HashOrder {
  readonly id: number;
  readonly path: string;
  readonly stop: Int32Array;
}

export type HashAnswer =
  | { readonly id: number; readonly sizeBytes: number; readonly digest: string }
  /** An error that travels to another thread loses its errno: told beside it. */
  | { readonly id: number; readonly message: string; readonly code: string | null };

const READ_BYTES = 4 * 1024 * 1024;
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);

parentPort?.on("message", (order: HashOrder) => parentPort?.postMessage(answerTo(order)));

function answerTo({ id, path, stop }: HashOrder): HashAnswer {
  try {
    return { id, ...hashFile(path, stop) };
  } catch (error) {
    return { id, message: String(error), code: errnoOf(error) };
  }
}

function hashFile(path: string, stop: Int32Array): { sizeBytes: number; digest: string } {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    let sizeBytes = 0;
    for (;;) {
      if (Atomics.load(stop, 0) !== 0) throw new Error("stopped");
      const read = readSync(file, buffer, 0, READ_BYTES, sizeBytes);
      if (read === 0) return { sizeBytes, digest: hash.digest("hex") };
      hash.update(buffer.subarray(0, read));
      sizeBytes += read;
    }
  } finally {
    closeSync(file);
  }
}
