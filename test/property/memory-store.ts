// An object store in memory for properties of who deletes what: it counts, and it can fail in the
// middle of a deletion.

import { Fault } from "../../src/base/errors.ts";
import { compareText } from "../../src/base/ids.ts";
import type { ObjectInfo, ObjectStore, UnfinishedUpload } from "../../src/objects/port.ts";

const notHere = (): Promise<never> => Promise.reject(new Error("not part of this world"));

export class MemoryStore implements ObjectStore {
  readonly name = "memory";
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly modifiedAtMs: number }>();
  readonly uploads = new Set<UnfinishedUpload>();
  nowMs = 0;
  /** So many objects are deleted, and then the store is away. */
  deletionsLeft = Infinity;

  readonly putFile = notHere;
  readonly getFile = notHere;
  readonly dropUpload = notHere;
  readonly close = notHere;

  put(
    key: string,
    bytes: Uint8Array,
    options: { readonly ifAbsent?: boolean } = {},
  ): Promise<"stored" | "exists"> {
    if (options.ifAbsent === true && this.objects.has(key)) return Promise.resolve("exists");
    this.objects.set(key, { bytes: Buffer.from(bytes), modifiedAtMs: this.nowMs });
    return Promise.resolve("stored");
  }

  get(key: string): Promise<Buffer | null> {
    return Promise.resolve(this.objects.get(key)?.bytes ?? null);
  }

  head(key: string): Promise<ObjectInfo | null> {
    const object = this.objects.get(key);
    if (object === undefined) return Promise.resolve(null);
    const { bytes, modifiedAtMs } = object;
    return Promise.resolve({ key, sizeBytes: bytes.length, modifiedAtMs });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    for (const key of [...this.objects.keys()].sort(compareText)) {
      const info = key.startsWith(prefix) ? await this.head(key) : null;
      if (info !== null) yield info;
    }
  }

  async *unfinished(prefix: string): AsyncGenerator<UnfinishedUpload> {
    for (const upload of this.uploads) if (upload.key.startsWith(prefix)) yield upload;
  }

  dropUnfinished(uploads: readonly UnfinishedUpload[]): Promise<void> {
    for (const upload of uploads) this.uploads.delete(upload);
    return Promise.resolve();
  }

  delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      if (this.deletionsLeft === 0) return Promise.reject(new Fault("STORE_UNAVAILABLE", "away"));
      this.deletionsLeft -= 1;
      this.objects.delete(key);
    }
    return Promise.resolve();
  }
}
