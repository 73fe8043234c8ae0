// The object store in a folder of this machine, or of a file system that all nodes mount. An object
// is a file; it appears by rename or link, so that readers see all of it or nothing, and it and its
// folder are fsynced first. Owns `<root>/.tmp` and the marker file; touches nothing above the root.

import { randomUUID } from "node:crypto";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { compareText } from "../base/ids.ts";
import { copyHashing, copyToNew, writeAll } from "./digest.ts";
import {
  errnoOf,
  isDiskFull,
  localIo,
  messageOf,
  storeCorrupt,
  storeUnavailable,
} from "./faults.ts";
import { assertKey, assertPrefix } from "./key.ts";
import { forEachLimited } from "./parallel.ts";
import {
  type CallOptions,
  type Content,
  GET_LIMIT_BYTES_DEFAULT,
  type GetOptions,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  type UnfinishedUpload,
} from "./port.ts";
import { Fault } from "../base/errors.ts";

/**
 * Tells a store's folder from an empty mount point: without it, a shared file system that is not
 * mounted would look like a store that lost everything, and take new objects to the wrong disk.
 */
const MARKER = ".trainyard-store";
const TMP = ".tmp";
/** Temporary files this old belong to nobody any more. */
const STALE_TMP_MS = 24 * 3_600_000;
const DELETES_AT_ONCE = 8;

export interface FolderStoreOptions {
  /**
   * Make the folder a store when it is missing or empty. Agents say false: theirs must be there.
   */
  readonly create: boolean;
  /** UTC milliseconds, to tell stale temporary files. */
  readonly nowMs: number;
}

export async function openFolderStore(
  root: string,
  options: FolderStoreOptions,
): Promise<ObjectStore> {
  const store = new FolderStore(root);
  await store.open(options);
  return store;
}

class FolderStore implements ObjectStore {
  readonly name: string;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.name = `object store file://${root}`;
  }

  async open(options: FolderStoreOptions): Promise<void> {
    if (options.create) await this.#attempt("be set up", () => this.#setUp());
    await this.#assertMounted();
    await this.#attempt("be tidied", () => this.#removeStaleTmp(options.nowMs));
  }

  async put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions = {},
  ): Promise<"stored" | "exists"> {
    assertKey(key);
    await this.#assertMounted();
    return await this.#attempt(`store ${key}`, () =>
      this.#withTmp(async (tmp) => {
        await this.#write(tmp, (file) => writeAll(file, bytes, 0));
        return await this.#publish(tmp, key, options.ifAbsent ?? false);
      }),
    );
  }

  async putFile(
    key: string,
    path: string,
    content: Content,
    options: CallOptions = {},
  ): Promise<"stored" | "source_changed"> {
    assertKey(key);
    await this.#assertMounted();
    const source = await localIo("read", path, () => open(path, "r"));
    try {
      return await this.#attempt(`store ${key}`, () =>
        this.#withTmp(async (tmp) => {
          const seen = await this.#write(tmp, (file) =>
            copyHashing(source, file, content.sizeBytes, options.signal),
          );
          if (!isSame(seen, content)) return "source_changed";
          await this.#publish(tmp, key, false);
          return "stored";
        }),
      );
    } finally {
      await source.close();
    }
  }

  async dropUpload(): Promise<void> {
    // An upload here is one call: nothing is noted.
  }

  async get(key: string, options: GetOptions = {}): Promise<Buffer | null> {
    assertKey(key);
    return await this.#attempt(`read ${key}`, async () => {
      const file = await this.#openObject(key);
      if (file === null) return null;
      try {
        return await this.#readRange(key, file, options);
      } finally {
        await file.close();
      }
    });
  }

  async getFile(
    key: string,
    path: string,
    content: Content,
    options: CallOptions = {},
  ): Promise<void> {
    assertKey(key);
    const source = await this.#attempt(`read ${key}`, () => this.#openObject(key));
    if (source === null) throw storeCorrupt(this.name, key, "is missing");
    const part = `${path}.${randomUUID()}.part`;
    try {
      const seen = await copyToNew(source, part, content.sizeBytes, options.signal);
      if (!isSame(seen, content)) throw storeCorrupt(this.name, key, mismatch(seen, content));
      await localIo("write", path, () => rename(part, path));
    } finally {
      await source.close();
      await rm(part, { force: true });
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    assertKey(key);
    return await this.#attempt(`look at ${key}`, async () => {
      const stats = await orNull(stat(this.#path(key)));
      if (stats?.isFile() === true) {
        return { key, sizeBytes: stats.size, modifiedAtMs: Math.floor(stats.mtimeMs) };
      }
      if (stats !== null) return null;
      await this.#assertMounted();
      return null;
    });
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    assertPrefix(prefix);
    await this.#assertMounted();
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    for await (const info of this.#walk(folder, options.signal)) {
      if (info.key.startsWith(prefix)) yield info;
    }
  }

  async delete(keys: readonly string[], options: CallOptions = {}): Promise<void> {
    for (const key of keys) assertKey(key);
    await this.#assertMounted();
    await forEachLimited(keys, DELETES_AT_ONCE, async (key) => {
      options.signal?.throwIfAborted();
      await this.#attempt(`delete ${key}`, async () => {
        await orNull(unlink(this.#path(key)));
        await this.#removeEmptyFolders(dirname(this.#path(key)));
      });
    });
  }

  async close(): Promise<void> {
    // Nothing outlives a call here.
  }

  #path(key: string): string {
    return join(this.#root, key);
  }

  /** There are no parts here: what a write left behind is tidied at the next start. */
  async *unfinished(): AsyncGenerator<UnfinishedUpload, void, void> {
    yield* [];
  }

  dropUnfinished(): Promise<void> {
    return Promise.resolve();
  }

  async #setUp(): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    const present = await readdir(this.#root);
    if (present.length > 0) return;
    const text = "This folder is an object store of Trainyard. Do not edit what is in it.\n";
    await writeFile(join(this.#root, MARKER), text);
    await syncFolder(this.#root);
  }

  async #assertMounted(): Promise<void> {
    const marker = await this.#attempt("be reached", () => orNull(stat(join(this.#root, MARKER))));
    if (marker !== null) return;
    const remedy = "Is its file system mounted? A new store needs an empty folder.";
    throw storeUnavailable(this.name, `there is no ${MARKER} in it. ${remedy}`);
  }

  async #removeStaleTmp(nowMs: number): Promise<void> {
    const folder = join(this.#root, TMP);
    const names = (await orNull(readdir(folder))) ?? [];
    for (const name of names) {
      const stats = await orNull(stat(join(folder, name)));
      if (stats !== null && nowMs - stats.mtimeMs > STALE_TMP_MS) {
        await rm(join(folder, name), { force: true });
      }
    }
  }

  async #withTmp<T>(use: (tmp: string) => Promise<T>): Promise<T> {
    const folder = join(this.#root, TMP);
    await orNull(mkdir(folder), "EEXIST");
    const tmp = join(folder, randomUUID());
    try {
      return await use(tmp);
    } finally {
      await rm(tmp, { force: true });
    }
  }

  async #write<T>(tmp: string, fill: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = await open(tmp, "wx", 0o644);
    try {
      const result = await fill(file);
      await file.sync();
      return result;
    } finally {
      await file.close();
    }
  }

  /** Gives a finished file its name. A folder that a `delete` just emptied is made again. */
  async #publish(tmp: string, key: string, ifAbsent: boolean): Promise<"stored" | "exists"> {
    const path = this.#path(key);
    for (let tries = 1; ; tries += 1) {
      await this.#makeFolders(dirname(path));
      try {
        await (ifAbsent ? link(tmp, path) : rename(tmp, path));
        await syncFolder(dirname(path));
        return "stored";
      } catch (error) {
        if (ifAbsent && errnoOf(error) === "EEXIST") return "exists";
        if (errnoOf(error) !== "ENOENT" || tries >= 5) throw error;
      }
    }
  }

  /** Never makes the root itself: when that is gone, so is the store. */
  async #makeFolders(folder: string): Promise<void> {
    if (folder === this.#root) return;
    if ((await orNull(stat(folder))) !== null) return;
    await this.#makeFolders(dirname(folder));
    await orNull(mkdir(folder), "EEXIST");
    await syncFolder(dirname(folder));
  }

  async #removeEmptyFolders(folder: string): Promise<void> {
    for (let at = folder; at !== this.#root; at = dirname(at)) {
      const gone = await orNull(
        rmdir(at).then(() => true),
        "ENOTEMPTY",
      );
      if (gone === null && (await orNull(stat(at))) !== null) return;
    }
  }

  async #openObject(key: string): Promise<FileHandle | null> {
    const file = await orNull(open(this.#path(key), "r"));
    if (file === null) await this.#assertMounted();
    return file;
  }

  async #readRange(key: string, file: FileHandle, options: GetOptions): Promise<Buffer> {
    const { size } = await file.stat();
    const offset = Math.min(options.range?.offset ?? 0, size);
    const sizeBytes = Math.min(options.range?.sizeBytes ?? size, size - offset);
    const limitBytes = options.limitBytes ?? GET_LIMIT_BYTES_DEFAULT;
    if (sizeBytes > limitBytes) {
      const message = `${this.name}: ${key} is ${sizeBytes} bytes, more than ${limitBytes}.`;
      throw new Fault("TOO_LARGE", message, { isRetryable: false });
    }
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    for (let done = 0; done < sizeBytes; ) {
      const { bytesRead } = await file.read(bytes, done, sizeBytes - done, offset + done);
      if (bytesRead === 0) throw storeCorrupt(this.name, key, "became shorter while it was read");
      done += bytesRead;
    }
    return bytes;
  }

  /**
   * Depth first in the order of keys, as S3 lists: `a-b` before `a/b`, since `-` sorts before `/`.
   */
  async *#walk(folder: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    signal?.throwIfAborted();
    const entries = await this.#attempt(`list ${folder}`, async () => {
      const found = await orNull(readdir(join(this.#root, folder), { withFileTypes: true }));
      return found ?? [];
    });
    const names = entries
      .filter((entry) => !entry.name.startsWith("."))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort(compareText);
    for (const name of names) {
      const key = `${folder}${name}`;
      if (name.endsWith("/")) yield* this.#walk(key, signal);
      else {
        const info = await this.head(key);
        if (info !== null) yield info;
      }
    }
  }

  /** What goes wrong inside is the store's doing, unless it says otherwise itself. */
  async #attempt<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === null) throw error;
      const isPassing = errno !== "EACCES" && errno !== "EPERM" && errno !== "EROFS";
      const full = isDiskFull(errno) ? " Its disk is full: free space there." : "";
      const message = `cannot ${what}: ${messageOf(error)}.${full}`;
      throw storeUnavailable(this.name, message, { cause: error, isRetryable: isPassing });
    }
  }
}

function isSame(a: Content, b: Content): boolean {
  return a.sizeBytes === b.sizeBytes && a.digest === b.digest;
}

function mismatch(seen: Content, wanted: Content): string {
  if (seen.sizeBytes !== wanted.sizeBytes) {
    const than = seen.sizeBytes > wanted.sizeBytes ? "more than" : `${seen.sizeBytes} instead of`;
    return `has ${than} ${wanted.sizeBytes} bytes`;
  }
  return `holds bytes with the sha256 ${seen.digest} instead of ${wanted.digest}`;
}

/** Null when the path is not there (or on the other error named). */
async function orNull<T>(work: Promise<T>, also = "ENOENT"): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR" || errno === also) return null;
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
