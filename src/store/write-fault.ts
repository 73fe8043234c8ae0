// What went wrong when LMDB could not write, in words that say what to do. Owns no state.

import { Fault } from "../base/errors.ts";

const REMEDIES: ReadonlyMap<number, string> = new Map([
  [28, "The disk is full: free space on it or move the folder to a larger disk"],
  [122, "The disk quota is used up: raise it or free space"],
  [27, "The file is larger than the process may write: raise `ulimit -f`"],
  // Also what LMDB says when the disk took only the first part of a write.
  [
    5,
    "The disk is full or over its quota, the file at its limit (`ulimit -f`), or the disk faulty " +
      "(see the kernel log): free space or replace the disk",
  ],
  [30, "The file system is read-only: look at the kernel log, mount it for writing"],
  [12, "The address space is used up: raise `ulimit -v`"],
  [-30792, "The memory map is full: raise `ulimit -v` or trim the log"],
]);

/** The Fault for a failed commit. Nothing of the transaction was written. */
export async function writeFault(error: unknown, folder: string): Promise<Fault> {
  const cause = await rootCause(error);
  const code = errorNumber(cause);
  const remedy =
    (code === null ? undefined : REMEDIES.get(code)) ?? "Look at the disk and its free space";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Fault(
    "DATA_NOT_WRITTEN",
    `Data folder ${folder} could not be written (${why}). ${remedy}, then start again: nothing ` +
      "that was acknowledged is lost.",
    { cause, isRetryable: false },
  );
}

/** lmdb-js rejects with a general error that carries a promise of the real one. */
async function rootCause(error: unknown): Promise<unknown> {
  if (typeof error !== "object" || error === null || !("commitError" in error)) return error;
  // The real one comes in the same turn of the event loop, or never.
  const never = new Promise((resolve) => setTimeout(() => resolve(error), 100));
  const real = Promise.resolve(error.commitError).then(
    () => error,
    (reason: unknown) => reason,
  );
  return Promise.race([real, never]);
}

function errorNumber(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "number" ? error.code : null;
}
