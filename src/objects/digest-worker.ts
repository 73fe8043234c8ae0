// The thread that hashes: takes bytes in memory that both threads see, and says what they are. It
// serves the hashes in turn, piece by piece, so none waits for the end of another.

import { createHash, type Hash } from "node:crypto";
import { parentPort } from "node:worker_threads";

export type HashOrder =
  /** The first one begins the hash. */
  | { readonly kind: "update"; readonly hash: number; readonly bytes: Uint8Array }
  | { readonly kind: "digest"; readonly hash: number }
  /** Nobody wants it any more. Has no answer. */
  | { readonly kind: "drop"; readonly hash: number };

/** One for each order, in their order. In hexadecimal; empty after an update. */
export type HashAnswer = string;

const hashes = new Map<number, Hash>();

parentPort?.on("message", (order: HashOrder) => {
  if (order.kind === "drop") hashes.delete(order.hash);
  else parentPort?.postMessage(answerTo(order));
});

function answerTo(order: Exclude<HashOrder, { kind: "drop" }>): HashAnswer {
  const hash = hashes.get(order.hash) ?? createHash("sha256");
  if (order.kind === "update") {
    hashes.set(order.hash, hash.update(order.bytes));
    return "";
  }
  hashes.delete(order.hash);
  return hash.digest("hex");
}
