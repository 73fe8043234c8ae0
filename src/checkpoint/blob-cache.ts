// Checkpoint files that this node has already, by content: what it uploaded and what it restored.
// An entry is a hard link, so it costs no space while the file exists elsewhere, and anybody who
// may write to that file may change it: therefore nothing leaves the cache unverified, and never
// as a link. Losing the cache loses only time.

import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { compareText, type Digest } from "../base/ids.ts";
import { copyToNew } from "../objects/digest.ts";
import { errnoOf } from "../objects/faults.ts";
import type { CallOptions, Content } from "../objects/port.ts";

export interface BlobCache {
  /** Remembers a file. When the cache cannot have it (other file system), nothing happens. */
  offer(digest: Digest, path: string): Promise<void>;
  /** Writes a verified copy to `path`, which must not exist; false when it is not at hand. */
  copyTo(path: string, content: Content, options?: CallOptions): Promise<boolean>;
  /** Forgets everything: the disk is full. */
  clear(): Promise<void>;
}

export interface BlobCacheOptions {
  /** Made when missing. Useful on the file system of checkpoints and restored files only. */
  readonly dir: string;
  /** Oldest entries go when there is more. */
  readonly maxBytes: number;
}

export function createBlobCache(options: BlobCacheOptions): BlobCache {
  return new FolderBlobCache(options);
}

class FolderBlobCache implements BlobCache {
  readonly #dir: string;
  readonly #maxBytes: number;
  /** Sizes by name, oldest first; null = not looked yet. Others who use the folder are not seen. */
  #sizes: Promise<Map<string, number>> | null = null;
  #keptBytes = 0;

  constructor({ dir, maxBytes }: BlobCacheOptions) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
  }

  async offer(digest: Digest, path: string): Promise<void> {
    await ifPossible(async () => {
      await mkdir(this.#dir, { recursive: true });
      const linked = join(this.#dir, `.${randomUUID()}`);
      try {
        await link(path, linked);
        const { size } = await stat(linked);
        const sizes = await this.#known();
        // By rename: an entry that went bad is replaced.
        await rename(linked, join(this.#dir, digest));
        this.#forget(sizes, digest);
        sizes.set(digest, size);
        this.#keptBytes += size;
      } finally {
        // Renaming one link onto another of the same file leaves both.
        await rm(linked, { force: true });
      }
      await this.#evict();
    });
  }

  async copyTo(path: string, content: Content, options: CallOptions = {}): Promise<boolean> {
    const entry = join(this.#dir, content.digest);
    const source = await openIfThere(entry);
    if (source === null) return false;
    try {
      const seen = await copyToNew(source, path, content.sizeBytes, options.signal);
      if (seen.digest === content.digest) return true;
    } finally {
      await source.close();
    }
    await rm(entry, { force: true });
    await rm(path, { force: true });
    this.#forget(await this.#known(), content.digest);
    return false;
  }

  async clear(): Promise<void> {
    await ifPossible(() => rm(this.#dir, { recursive: true, force: true }));
    this.#sizes = null;
  }

  /** Reads the folder once: with thousands of entries that costs too much for each new one. */
  #known(): Promise<Map<string, number>> {
    return (this.#sizes ??= this.#look());
  }

  /** By inode change time: it moves when an entry is linked, and nothing needs to be kept beside. */
  async #look(): Promise<Map<string, number>> {
    const entries: { name: string; ctimeMs: number; sizeBytes: number }[] = [];
    for (const name of await readdir(this.#dir).catch(() => [])) {
      const stats = await stat(join(this.#dir, name)).catch(() => null);
      if (name.startsWith(".") || !stats?.isFile()) continue;
      entries.push({ name, ctimeMs: stats.ctimeMs, sizeBytes: stats.size });
    }
    entries.sort((a, b) => a.ctimeMs - b.ctimeMs || compareText(a.name, b.name));
    this.#keptBytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return new Map(entries.map(({ name, sizeBytes }) => [name, sizeBytes]));
  }

  #forget(sizes: Map<string, number>, name: string): void {
    this.#keptBytes -= sizes.get(name) ?? 0;
    sizes.delete(name);
  }

  async #evict(): Promise<void> {
    const sizes = await this.#known();
    for (const name of sizes.keys()) {
      if (this.#keptBytes <= this.#maxBytes) return;
      this.#forget(sizes, name);
      await rm(join(this.#dir, name), { force: true });
    }
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** What the file system will not do here (other device, no room) is done without. */
async function ifPossible(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (errnoOf(error) === null) throw error;
  }
}
