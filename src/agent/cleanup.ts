// Bounds what ended tasks and old bundles keep on the disk. Never touches a task that the scheduler
// has not recorded the end of, or whose metrics are not all in the tracker; a folder without a
// readable record is no task any more.

import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TaskKey } from "./core/task-key.ts";
import { isSameProcess } from "./proc.ts";
import { listTaskKeys, TaskFolder, type TaskRecord } from "./task-folder.ts";

export interface KeepPolicy {
  /** Folders of ended tasks older than this go. */
  readonly keepMs: number;
  /** Of the rest, the oldest go until no more than this is left, in bytes. */
  readonly keepBytes: number;
  /** Code bundles that no task has used for this long go. */
  readonly bundleKeepMs: number;
}

export const DEFAULT_KEEP: KeepPolicy = {
  keepMs: 7 * 86_400_000,
  keepBytes: 20 * 1024 ** 3,
  bundleKeepMs: 2 * 86_400_000,
};

interface EndedFolder {
  readonly root: string;
  readonly endedAtMs: number;
  readonly bytes: number;
}

/** Returns the folders that were removed. */
export async function cleanUp(
  stateDir: string,
  policy: KeepPolicy,
  nowMs: number,
): Promise<readonly string[]> {
  const ended = (await endedFolders(stateDir)).sort((a, b) => b.endedAtMs - a.endedAtMs);
  const removed: string[] = [];
  let keptBytes = 0;
  for (const folder of ended) {
    const isOld = nowMs - folder.endedAtMs > policy.keepMs;
    if (!isOld && keptBytes + folder.bytes <= policy.keepBytes) {
      keptBytes += folder.bytes;
      continue;
    }
    await rm(folder.root, { recursive: true, force: true });
    await removeIfEmpty(dirname(folder.root));
    removed.push(folder.root);
  }
  return [...removed, ...(await cleanBundles(stateDir, policy.bundleKeepMs, nowMs))];
}

/** Says that a bundle was used just now. */
export function touchBundle(folder: string): void {
  const now = new Date();
  utimesSync(folder, now, now);
}

async function endedFolders(stateDir: string): Promise<EndedFolder[]> {
  const folders: EndedFolder[] = [];
  for (const key of listTaskKeys(stateDir)) {
    const folder = new TaskFolder(stateDir, key);
    const record = folder.load();
    const isDone = record === null ? !isSupervised(folder) : isOver(key, record);
    if (!isDone) continue;
    const endedAtMs = statSync(
      record === null ? folder.root : join(folder.root, "task.json"),
    ).mtimeMs;
    folders.push({ root: folder.root, endedAtMs, bytes: await sizeOf(folder.root) });
  }
  return folders;
}

function isOver(key: TaskKey, record: TaskRecord): boolean {
  return record.isForgotten && (record.isShipped || key.rank !== 0);
}

/**
 * A folder is made and gets its record in one turn: one without was torn by a crash, or the disk
 * was full. Unless the task itself destroyed it.
 */
function isSupervised(folder: TaskFolder): boolean {
  const state = folder.supervisorState();
  return state !== null && isSameProcess(state.supervisor);
}

async function cleanBundles(stateDir: string, keepMs: number, nowMs: number): Promise<string[]> {
  const parent = join(stateDir, "bundles");
  if (!existsSync(parent)) return [];
  const old = readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((path) => nowMs - statSync(path).mtimeMs > keepMs);
  for (const path of old) await rm(path, { recursive: true, force: true });
  return old;
}

/** Disk space below a folder, in bytes. */
async function sizeOf(root: string): Promise<number> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  let bytes = 0;
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

async function removeIfEmpty(folder: string): Promise<void> {
  if ((await readdir(folder)).length === 0) await rm(folder, { recursive: true });
}
