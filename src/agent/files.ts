// Small files that must be whole or not there at all, however the machine goes down.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { isErrno } from "./proc.ts";

/** Written aside, synced, renamed: a reader sees the old content or the new one, never a part. */
export function writeAtomic(path: string, content: string): void {
  const aside = `${path}.${process.pid}.tmp`;
  const file = openSync(aside, "w", 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}

/** Like `writeAtomic` without the sync: for what may be lost with the machine, but not be torn. */
export function replaceFile(path: string, content: string): void {
  const aside = `${path}.${process.pid}.tmp`;
  const file = openSync(aside, "w", 0o600);
  try {
    writeSync(file, content);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}

/** Null when there is no such file. Throws on one that holds no JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}
