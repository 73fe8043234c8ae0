// The agent's side before a resumed attempt starts: the files of all nodes into one folder, each
// one verified. What the node still has is not fetched again.

import { chmod, mkdir, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Fault } from "../base/errors.ts";
import type { CheckpointId, Digest, JobId } from "../base/ids.ts";
import { contentOf } from "../objects/digest.ts";
import { errnoOf, localIo, refusingCorrupt, storeCorrupt } from "../objects/faults.ts";
import { forEachLimited } from "../objects/parallel.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { BlobCache } from "./blob-cache.ts";
import type { StoredFile } from "./core/documents.ts";
import { blobKey } from "./core/keys.ts";
import { unionOf, whatIsMissing } from "./core/union.ts";
import { loadManifest, loadParts } from "./documents-io.ts";

const FILES_AT_ONCE = 4;

export interface RestoreDeps {
  readonly objects: ObjectStore;
  /** Null = everything comes from the store. */
  readonly cache: BlobCache | null;
}

export interface RestoreRequest {
  readonly jobId: JobId;
  readonly checkpointId: CheckpointId;
  readonly manifestDigest: Digest;
  /** Made when missing. May hold files of the same checkpoint, from a try that was broken off. */
  readonly destDir: string;
  readonly signal?: AbortSignal;
}

export interface Restored {
  readonly step: number;
  readonly files: number;
  readonly bytesFetched: number;
  readonly bytesReused: number;
}

/**
 * Throws a `RefusalError` of `STORE_CORRUPT` when the store's bytes are wrong or missing: an older
 * checkpoint is to be tried. Throws `Fault`s for the rest: a retryable `STORE_UNAVAILABLE` when the
 * store is away, `DISK_FULL` when the files do not fit, `LOCAL_FILE` when `destDir` holds something
 * else. Restoring again goes on where it stopped.
 */
export async function restoreCheckpoint(
  deps: RestoreDeps,
  request: RestoreRequest,
): Promise<Restored> {
  return await refusingCorrupt("An older checkpoint is tried.", () => restore(deps, request));
}

async function restore(deps: RestoreDeps, request: RestoreRequest): Promise<Restored> {
  const { objects } = deps;
  const { checkpointId, jobId, manifestDigest, destDir, signal } = request;
  const manifest = await loadManifest(objects, checkpointId, manifestDigest, { signal });
  if (manifest.jobId !== jobId) {
    throw storeCorrupt(objects.name, checkpointId, `is a checkpoint of ${manifest.jobId}`);
  }
  const names = manifest.parts.map(({ digest }) => digest);
  const parts = await loadParts(objects, jobId, names, { signal });
  const missing = whatIsMissing(parts);
  if (missing !== null) {
    throw storeCorrupt(objects.name, checkpointId, `is not whole: ${missing.message}`);
  }
  const files = unionOf(parts);
  await localIo("make", destDir, () => mkdir(destDir, { recursive: true }));
  await assertNothingElse(destDir, files);
  const done = await restoreFiles(deps, request, files);
  return { step: manifest.step, files: files.length, ...done };
}

async function restoreFiles(
  deps: RestoreDeps,
  { jobId, destDir, signal }: RestoreRequest,
  files: readonly StoredFile[],
): Promise<Pick<Restored, "bytesFetched" | "bytesReused">> {
  const wanted = await withoutThoseThere(destDir, files, signal);
  await assertRoom(destDir, sizeOf(wanted));
  let bytesFetched = 0;
  // Small ones first: metadata errors show before terabytes have moved.
  const bySize = [...wanted].sort((a, b) => a.sizeBytes - b.sizeBytes);
  await forEachLimited(bySize, FILES_AT_ONCE, async (file) => {
    const path = join(destDir, file.path);
    await localIo("make", dirname(path), () => mkdir(dirname(path), { recursive: true }));
    if (await copyFromCache(deps.cache, path, file, signal)) return;
    await deps.objects.getFile(blobKey(jobId, file.digest), path, file, { signal });
    await localIo("change", path, () => chmod(path, file.mode));
    bytesFetched += file.sizeBytes;
    await deps.cache?.offer(file.digest, path);
  });
  return { bytesFetched, bytesReused: sizeOf(files) - bytesFetched };
}

async function copyFromCache(
  cache: BlobCache | null,
  path: string,
  file: StoredFile,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const part = `${path}.part`;
  if (!((await cache?.copyTo(part, file, { signal })) ?? false)) return false;
  await localIo("write", path, async () => {
    await chmod(part, file.mode);
    await rename(part, path);
  });
  return true;
}

/** What an earlier try has brought, verified as if it had just come. */
async function withoutThoseThere(
  destDir: string,
  files: readonly StoredFile[],
  signal: AbortSignal | undefined,
): Promise<readonly StoredFile[]> {
  const wanted: StoredFile[] = [];
  await forEachLimited(files, FILES_AT_ONCE, async (file) => {
    const path = join(destDir, file.path);
    const sizeBytes = await sizeIfThere(path);
    const isThere =
      sizeBytes === file.sizeBytes && (await contentOf(path, { signal })).digest === file.digest;
    if (!isThere) wanted.push(file);
  });
  return wanted;
}

async function sizeIfThere(path: string): Promise<number | null> {
  return await localIo("look at", path, async () => {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return null;
      throw error;
    }
  });
}

/**
 * A script that finds files of two checkpoints side by side may load the wrong one. Halves of files
 * that a broken-off try left are removed.
 */
async function assertNothingElse(destDir: string, files: readonly StoredFile[]): Promise<void> {
  const expected = new Set(files.map(({ path }) => path));
  const entries = await localIo("list", destDir, () =>
    readdir(destDir, { recursive: true, withFileTypes: true }),
  );
  for (const entry of entries) {
    const path = relative(destDir, join(entry.parentPath, entry.name));
    if (entry.isDirectory() || expected.has(path)) continue;
    if (!expected.has(path.replace(/(?:\.[0-9a-f-]{36})?\.part$/, ""))) {
      const what = `${path} is there and is not of the checkpoint. Give an empty folder.`;
      const message = `Cannot restore into ${destDir}: ${what}`;
      throw new Fault("LOCAL_FILE", message, { isRetryable: false });
    }
    await localIo("remove", path, () => rm(join(destDir, path), { force: true }));
  }
}

async function assertRoom(destDir: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await localIo("look at", destDir, () => statfs(destDir));
  const freeBytes = bavail * bsize;
  if (neededBytes <= freeBytes) return;
  const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  const sizes = `${mib(neededBytes)} are needed and ${mib(freeBytes)} free`;
  const message = `Cannot restore into ${destDir}: ${sizes}. Free space on its disk.`;
  throw new Fault("DISK_FULL", message);
}

function sizeOf(files: readonly StoredFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
