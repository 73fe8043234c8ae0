// Small files that must be whole or not there at all, however the machine goes down.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { opendir } from "node:fs/promises";
import { isErrno } from "./proc.ts";

/** Written aside, synced, renamed: a reader sees the old content or the new one, never a part. */
export function writeAtomic(path: string, content: string): void {
  replace(path, content, { isSynced: true, mode: PRIVATE });
}

/** Like `writeAtomic` without the sync: for what may be lost with the machine, but not be torn. */
export function replaceFile(path: string, content: string): void {
  replace(path, content, { isSynced: false, mode: PRIVATE });
}

/** As `replaceFile`, for others to read: who waits for the file finds all of it. */
export function announce(path: string, content: string): void {
  replace(path, content, { isSynced: false, mode: 0o644 });
}

const PRIVATE = 0o600;

function replace(
  path: string,
  content: string,
  { isSynced, mode }: { readonly isSynced: boolean; readonly mode: number },
): void {
  const aside = `${path}.${process.pid}.tmp`;
  const file = openSync(aside, "w", mode);
  try {
    // Not `writeSync`, which stops without an error where a full disk cuts it short.
    writeFileSync(file, content);
    if (isSynced) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}

/** Over what the file holds already, where it lies: needs no new room if that was no shorter. */
export function writeOver(path: string, content: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(file, content, 0);
    ftruncateSync(file, Buffer.byteLength(content));
  } finally {
    closeSync(file);
  }
}

/** More than any of them has: a task's record with a large specification. */
const JSON_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Null when there is no such file, or when it holds no JSON: a machine that went down leaves torn
 * files, and a user's process whatever it likes. Neither may keep an agent from starting.
 */
export function readJson(path: string): unknown {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > JSON_BYTES_MAX) return null;
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

/** The last `bytes` of a text file; empty when there is no such file. */
export function readTail(path: string, bytes: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return "";
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, bytes));
    const read = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8", 0, read);
  } finally {
    closeSync(file);
  }
}

/** Whether there is any file in a folder or below it. */
export async function hasFiles(folder: string): Promise<boolean> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (!entry.isDirectory()) return true;
  }
  return false;
}
