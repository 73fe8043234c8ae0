// The object store as the rest of the system sees it: whole objects under validated keys. The two
// implementations (a folder, S3) pass one contract suite. Knows nothing of checkpoints.

import type { Digest } from "../base/ids.ts";

/** What a file must be. */
export interface Content {
  readonly sizeBytes: number;
  readonly digest: Digest;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /**
   * When it was stored, by the store's clock and to a second, in ms since 1970. Of an upload in
   * parts the store may say when it began.
   */
  readonly modifiedAtMs: number;
}

/** An upload in parts that was begun and neither finished nor dropped. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  /** As `ObjectInfo.modifiedAtMs`. */
  readonly begunAtMs: number;
}

export interface CallOptions {
  /** Ends the call early; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  /** Write only when nothing has this key yet; atomic against other writers. Default false. */
  readonly ifAbsent?: boolean;
}

export interface PutFileOptions extends CallOptions {
  /**
   * A small file in which a long upload notes how far it is; its folder is made. The same call with
   * the same path, also by another process, goes on from there. Gone once the upload has ended.
   * Default: none; then only this process goes on with it.
   */
  readonly notePath?: string;
}

export interface GetOptions extends CallOptions {
  /** Only these bytes; past the end there are fewer. Default: the whole object. */
  readonly range?: { readonly offset: number; readonly sizeBytes: number };
  /** A larger answer is a `TOO_LARGE` fault. Default 64 MiB. */
  readonly limitBytes?: number;
}

/**
 * Every method throws `Fault`: `STORE_UNAVAILABLE` when the store does not answer or refuses (its
 * `isRetryable` says whether waiting helps), `STORE_CORRUPT` when what it holds is wrong,
 * `DISK_FULL` or `LOCAL_FILE` when a file on this side is at fault. Messages name the store and
 * the key. Short outages are retried inside; long ones are the caller's to wait out.
 */
export interface ObjectStore {
  /** For messages: where it is. */
  readonly name: string;
  /** Durable when it returns. A reader sees all of it or nothing. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<"stored" | "exists">;
  /**
   * Stores a file that must be exactly `content`. When its bytes turn out to be different (it was
   * rewritten meanwhile), nothing is stored.
   */
  putFile(
    key: string,
    path: string,
    content: Content,
    options?: PutFileOptions,
  ): Promise<"stored" | "source_changed">;
  /** Drops the upload of which this is the note, and the note. Never throws `Fault`s: best effort. */
  dropUpload(notePath: string, options?: CallOptions): Promise<void>;
  /** Null when there is no such object. */
  get(key: string, options?: GetOptions): Promise<Buffer | null>;
  /**
   * Writes an object to `path`, which appears whole and verified or not at all; its folder must
   * exist. A missing object is `STORE_CORRUPT`: whoever names its content knows that it was there.
   */
  getFile(key: string, path: string, content: Content, options?: CallOptions): Promise<void>;
  /** Null when there is no such object. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | null>;
  /** All objects whose key begins with `prefix`, by key. */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>;
  /** Of all processes, those too that still go on; of keys that begin with `prefix`. */
  unfinished(prefix: string, options?: CallOptions): AsyncIterable<UnfinishedUpload>;
  /** Those that are over by now are fine. Who still goes on with one has to begin anew. */
  dropUnfinished(uploads: readonly UnfinishedUpload[], options?: CallOptions): Promise<void>;
  /** Keys that are not there are fine. */
  delete(keys: readonly string[], options?: CallOptions): Promise<void>;
  /** Drops what was begun and not finished, except what is noted. No call may follow. */
  close(): Promise<void>;
}

export const GET_LIMIT_BYTES_DEFAULT = 64 * 1024 * 1024;
