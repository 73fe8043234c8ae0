// Keeps the files of a checkpoint alive while they are uploaded: trainers delete their older ones.
// A hard link costs nothing and survives deleting and renaming; a name that is rewritten in place
// again and again is copied. Where neither works the files are read where they are. Owns its
// folder.

import { constants, copyFile, link, mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, localIo } from "../objects/faults.ts";
import type { ListedFile } from "./core/layouts.ts";

export interface StagedFile {
  readonly listed: ListedFile;
  /** Where its bytes are now. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Our own copy: nobody can change it. */
  readonly isCopy: boolean;
}

export interface Staged {
  readonly folder: string;
  readonly files: readonly StagedFile[];
}

export interface StageRequest {
  /** The checkpoint folder, to which the listed paths are relative. */
  readonly dir: string;
  /** Made, and removed by `unstage`. Should be on the same file system. */
  readonly folder: string;
  readonly files: readonly ListedFile[];
  readonly prefersCopy: boolean;
}

/** Null when a file is no longer what was listed. */
export async function stage(request: StageRequest): Promise<Staged | null> {
  const { dir, folder, files } = request;
  await localIo("make", folder, () => mkdir(folder, { recursive: true }));
  const staged: StagedFile[] = [];
  for (const [index, listed] of files.entries()) {
    const from = join(dir, listed.path);
    const file = await stageFile(listed, from, join(folder, String(index)), request.prefersCopy);
    if (file === null) {
      await unstage({ folder });
      return null;
    }
    staged.push(file);
  }
  return { folder, files: staged };
}

export async function unstage({ folder }: Pick<Staged, "folder">): Promise<void> {
  await localIo("remove", folder, () => rm(folder, { recursive: true, force: true }));
}

/** Whether every file is still what was listed. Copies are. */
export async function isUnchanged(staged: Staged): Promise<boolean> {
  for (const { listed, path, isCopy } of staged.files) {
    if (!isCopy && (await statIfSame(listed, path)) === null) return false;
  }
  return true;
}

async function stageFile(
  listed: ListedFile,
  from: string,
  to: string,
  prefersCopy: boolean,
): Promise<StagedFile | null> {
  const isCopy =
    prefersCopy && (await ranThrough(() => copyFile(from, to, constants.COPYFILE_FICLONE)));
  const isLink = !isCopy && (await ranThrough(() => link(from, to)));
  const path = isCopy || isLink ? to : from;
  // After the copy: a source that is still the same was not written to while it was copied.
  const stats = await statIfSame(listed, isCopy ? from : path);
  return stats === null ? null : { listed, path, mode: stats.mode & 0o777, isCopy };
}

async function statIfSame(listed: ListedFile, path: string): Promise<{ mode: number } | null> {
  try {
    const stats = await stat(path);
    const isSame =
      stats.ino === listed.inode &&
      stats.size === listed.sizeBytes &&
      stats.mtimeMs === listed.mtimeMs;
    return isSame ? stats : null;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** False when the file system will not have it: other device, no links, full disk, gone. */
async function ranThrough(run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
