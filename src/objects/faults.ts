// How a failure is put into words. A full or unreadable local disk must never look like a broken
// store: the first is the node's problem, the second makes the scheduler fall back or wait.

import { Fault, RefusalError, refuse } from "../base/errors.ts";

export function storeCorrupt(store: string, key: string, what: string): Fault {
  return new Fault("STORE_CORRUPT", `${store}: ${key} ${what.replace(/\.$/, "")}.`, {
    isRetryable: false,
  });
}

export function storeUnavailable(
  store: string,
  what: string,
  options: { cause?: unknown; isRetryable?: boolean } = {},
): Fault {
  return new Fault("STORE_UNAVAILABLE", `${store}: ${what}`, options);
}

/** Corrupt bytes stay corrupt: for those who ask for one certain thing, that is a plain "no". */
export async function refusingCorrupt<T>(remedy: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "STORE_CORRUPT") throw error;
    throw new RefusalError(refuse("STORE_CORRUPT", error.message, remedy));
  }
}

/** Runs file system calls of this machine and names the path when one fails. */
export async function localIo<T>(what: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw localFault(what, path, error);
  }
}

export function localFault(what: string, path: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === null) return error;
  if (isDiskFull(code)) {
    const message = `Cannot ${what} ${path}: the disk is full (${code}). Free space there.`;
    return new Fault("DISK_FULL", message, { cause: error });
  }
  const message = `Cannot ${what} ${path}: ${messageOf(error)}`;
  return new Fault("LOCAL_FILE", message, { cause: error, isRetryable: code === "EMFILE" });
}

export function isDiskFull(errno: string): boolean {
  return errno === "ENOSPC" || errno === "EDQUOT";
}

/** `ENOENT` and the like; null when it is no system error. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
