// What the disk and /proc say about a checkpoint folder. Looks only; decides nothing.

import type { Dirent } from "node:fs";
import { open, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { type FileEnd, TAIL_BYTES, zipEnd } from "./core/completeness.ts";
import { folderOf, isMarker, type ListedFile } from "./core/layouts.ts";
import { errnoOf } from "../objects/faults.ts";

const DEPTH_MAX = 6;
const FILES_MAX = 50_000;
const MARKER_BYTES_MAX = 64 * 1024;

export interface Scan {
  readonly files: readonly ListedFile[];
  readonly markers: ReadonlyMap<string, number | null>;
  /** There were more files than are looked at. */
  readonly isCut: boolean;
}

/** Lists regular files; symbolic links are not followed. A folder that is not there is empty. */
export async function scanFolder(dir: string): Promise<Scan> {
  const files: ListedFile[] = [];
  const pending: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  for (let at = pending.pop(); at !== undefined && files.length < FILES_MAX; at = pending.pop()) {
    const { path, depth } = at;
    for (const entry of await entriesOf(join(dir, path))) {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        const isHidden = entry.name.startsWith(".");
        if (depth < DEPTH_MAX && !isHidden) pending.push({ path: below, depth: depth + 1 });
      } else if (entry.isFile()) {
        const file = await listedFile(dir, below);
        if (file !== null) files.push(file);
      }
    }
  }
  const markers = new Map<string, number | null>();
  for (const { path } of files) {
    if (isMarker(path)) markers.set(folderOf(path), await readMarker(join(dir, path)));
  }
  return { files, markers, isCut: files.length >= FILES_MAX };
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? [];
}

async function listedFile(dir: string, path: string): Promise<ListedFile | null> {
  const stats = await unlessGone(stat(join(dir, path)));
  if (stats === null) return null;
  return { path, sizeBytes: stats.size, mtimeMs: stats.mtimeMs, inode: stats.ino };
}

/** The step that a marker names; null when it names none. */
async function readMarker(path: string): Promise<number | null> {
  const stats = await unlessGone(stat(path));
  if (stats === null || stats.size > MARKER_BYTES_MAX) return null;
  const text = await unlessGone(readFile(path, "utf8"));
  return text === null ? null : stepOfMarker(text);
}

export function stepOfMarker(text: string): number | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value !== "object" || value === null || !("step" in value)) return null;
  const { step } = value;
  return typeof step === "number" && Number.isSafeInteger(step) && step >= 0 ? step : null;
}

/** Whether a torch.save file is whole; one that is gone meanwhile is torn. */
export async function endOfFile(path: string): Promise<FileEnd> {
  const file = await unlessGone(open(path, "r"));
  if (file === null) return "torn";
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(4, size));
    const tail = Buffer.alloc(Math.min(TAIL_BYTES, size));
    await file.read(head, 0, head.length, 0);
    await file.read(tail, 0, tail.length, size - tail.length);
    return zipEnd(head, tail, size);
  } finally {
    await file.close();
  }
}

/**
 * Paths below `dir` that one of the processes has open for writing. Processes that end meanwhile,
 * or may not be looked into, count as not writing.
 */
export async function openForWriting(
  dir: string,
  pids: readonly number[],
): Promise<ReadonlySet<string>> {
  const root = await unlessGone(realpath(dir));
  const found = new Set<string>();
  if (root === null) return found;
  for (const pid of pids) {
    for (const fd of (await unlessGone(readdir(`/proc/${pid}/fd`))) ?? []) {
      const target = await unlessGone(readlink(`/proc/${pid}/fd/${fd}`));
      if (target === null || !target.startsWith(`${root}/`)) continue;
      const info = await unlessGone(readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8"));
      if (info !== null && isWriting(info)) found.add(relative(root, target));
    }
  }
  return found;
}

/** `flags` is octal; its last two bits are the access mode, 0 = reading only. */
function isWriting(fdinfo: string): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(fdinfo)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
}

/** Null when the path is gone, or may not be looked at. */
async function unlessGone<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== null && GONE.has(errno)) return null;
    throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ESRCH", "EACCES", "EPERM"]);
