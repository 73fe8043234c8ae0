// Code bundles on their way into the object store: checked against their digest in a temporary file
// first, so that nothing wrong is ever stored under a name. Knows nothing of what is in them.

import { createHash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Refusal, RefusalError, refuse } from "../base/errors.ts";
import type { Digest, IdSource } from "../base/ids.ts";
import { bundleKey } from "../checkpoint/core/keys.ts";
import type { ObjectStore } from "../objects/port.ts";
import { decodeWhole, reject } from "../rpc/decode.ts";
import type { PutBundleRequest__Output } from "../rpc/gen/trainyard/v1/PutBundleRequest.ts";
import type { PutBundleResponse } from "../rpc/gen/trainyard/v1/PutBundleResponse.ts";
import { decodeDigest } from "./service-decode.ts";
import { BUNDLE_BYTES_MAX } from "./service-spec.ts";

export interface BundleParts {
  readonly store: Pick<ObjectStore, "head" | "putFile" | "delete">;
  /** For files on their way; exists, and is emptied by the owner at start. */
  readonly folder: string;
  readonly newId: IdSource;
  readonly monotonicMs: () => number;
  /** Without a word for so long an upload is given up; default 60 s. */
  readonly idleMs?: number;
}

const IDLE_MS = 60_000;
const CHUNK_BYTES_MAX = 1_048_576;
/** Uploads at once; each may need 2 GiB of the folder. */
const UPLOADS_MAX = 8;
/** Digests known to be stored, so that a submit asks the store only once. */
const KNOWN_MAX = 10_000;
/** From the upload, or the word that it is not needed, to the submission. */
const ASKED_LATELY_MS = 3_600_000;

export class Bundles {
  readonly #parts: BundleParts;
  /** When each was last asked for, the latest last. */
  readonly #known = new Map<Digest, number>();
  /** Being deleted. */
  readonly #going = new Map<Digest, Promise<void>>();
  #uploads = 0;

  constructor(parts: BundleParts) {
    this.#parts = parts;
  }

  /** Why a job cannot use the bundle; null when it is there. Throws STORE_UNAVAILABLE. */
  async missing(digest: Digest): Promise<Refusal | null> {
    if (await this.#isStored(digest)) return null;
    return refuse(
      "BUNDLE_NOT_FOUND",
      `No code bundle with the digest ${digest} was uploaded.`,
      "Upload it with PutBundle, then submit again.",
      "spec.bundle.digest",
    );
  }

  /** Takes in one upload. Throws STORE_UNAVAILABLE; what was wrong is refused and not stored. */
  async receive(
    chunks: AsyncIterable<PutBundleRequest__Output>,
    signal: AbortSignal,
  ): Promise<PutBundleResponse | Refusal> {
    const idleMs = this.#parts.idleMs ?? IDLE_MS;
    const iterator = withIdleLimit(chunks[Symbol.asyncIterator](), idleMs);
    const first = await iterator.next();
    if (first.done === true) reject("digest", "", "missing", "Send it in the first message.");
    const digest = decodeDigest(first.value.digest, "digest");
    const range = { min: 0, max: BUNDLE_BYTES_MAX };
    const announced = decodeWhole(first.value.sizeBytes, "sizeBytes", range);
    if (await this.#isStored(digest)) return { wasThere: true };
    if (this.#uploads >= UPLOADS_MAX) return tooMany();
    this.#uploads += 1;
    try {
      await this.#store(withFirst(first.value, iterator), digest, announced, signal);
    } finally {
      this.#uploads -= 1;
    }
    return { wasThere: false };
  }

  async #store(
    chunks: AsyncIterable<PutBundleRequest__Output>,
    digest: Digest,
    announcedBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    const path = join(this.#parts.folder, `bundle-${this.#parts.newId()}`);
    try {
      const sizeBytes = await writeChecked(path, chunks, digest, announcedBytes);
      const content = { sizeBytes, digest };
      const outcome = await this.#parts.store.putFile(bundleKey(digest), path, content, { signal });
      if (outcome === "source_changed") {
        throw new Fault("STORE_CORRUPT", `The upload ${path} changed while it was stored.`);
      }
      this.#remember(digest);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Deletes a bundle that no job names. False when it was asked for lately: a job may follow. */
  async drop(digest: Digest, signal: AbortSignal): Promise<boolean> {
    const askedMs = this.#known.get(digest) ?? -Infinity;
    if (askedMs > this.#parts.monotonicMs() - ASKED_LATELY_MS) return false;
    this.#known.delete(digest);
    const going = this.#parts.store.delete([bundleKey(digest)], { signal });
    this.#going.set(digest, going);
    try {
      await going;
    } finally {
      this.#going.delete(digest);
    }
    return true;
  }

  async #isStored(digest: Digest): Promise<boolean> {
    if (!this.#known.has(digest)) {
      const isThere = (await this.#parts.store.head(bundleKey(digest))) !== null;
      const going = this.#going.get(digest);
      // What was there a moment ago may be gone: whoever asks meanwhile is answered afterwards.
      if (going !== undefined) {
        await going.catch(() => undefined);
        return await this.#isStored(digest);
      }
      if (!isThere) return false;
    }
    this.#remember(digest);
    return true;
  }

  #remember(digest: Digest): void {
    this.#known.delete(digest);
    this.#known.set(digest, this.#parts.monotonicMs());
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KNOWN_MAX) return;
      this.#known.delete(oldest);
    }
  }
}

/** Returns the size; throws a refusal when it is not what was announced. */
async function writeChecked(
  path: string,
  chunks: AsyncIterable<PutBundleRequest__Output>,
  digest: Digest,
  announcedBytes: number,
): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    const found = await writeAll(file, chunks).catch(asFault);
    if (announcedBytes !== 0 && found.sizeBytes !== announcedBytes) {
      reject("sizeBytes", announcedBytes, `but ${found.sizeBytes} bytes came`, "Send all of it.");
    }
    if (found.digest !== digest) {
      const remedy = "It changed on its way, or while it was packed: pack and upload it again.";
      reject("digest", digest, `but the bytes hash to ${found.digest}`, remedy);
    }
    return found.sizeBytes;
  } finally {
    await file.close();
  }
}

function asFault(error: unknown): never {
  if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  throw new Fault("DISK_FULL", "The scheduler has no room for uploads.", { cause: error });
}

async function writeAll(
  file: FileHandle,
  chunks: AsyncIterable<PutBundleRequest__Output>,
): Promise<{ sizeBytes: number; digest: string }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const { data } of chunks) {
    if (data.length > CHUNK_BYTES_MAX) {
      reject("data", `${data.length} bytes`, "over 1 MiB", "Send smaller pieces.", "TOO_LARGE");
    }
    sizeBytes += data.length;
    if (sizeBytes > BUNDLE_BYTES_MAX) throw new RefusalError(tooLarge());
    hash.update(data);
    await file.appendFile(data);
  }
  return { sizeBytes, digest: hash.digest("hex") };
}

/** A client that has gone silent must not keep one of the few places for ever. */
async function* withIdleLimit<T>(source: AsyncIterator<T>, idleMs: number): AsyncGenerator<T> {
  try {
    for (;;) {
      const idle = new AbortController();
      const late = sleep(idleMs, null, { signal: idle.signal }).catch(() => null);
      const next = await Promise.race([source.next(), late]);
      idle.abort();
      if (next === null) throw new RefusalError(silent(idleMs));
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a source that is stuck does not hear of it either.
    source.return?.().catch(() => undefined);
  }
}

function silent(idleMs: number): Refusal {
  const message = `Nothing came of the bundle for ${idleMs / 1_000} s.`;
  return refuse("DEADLINE_PASSED", message, "Upload it again.", "data");
}

async function* withFirst<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

function tooLarge(): Refusal {
  const message = `The bundle has more than ${BUNDLE_BYTES_MAX} bytes (2 GiB).`;
  const remedy = "Leave data and environments out of it: .gitignore decides what travels.";
  return refuse("TOO_LARGE", message, remedy, "data");
}

function tooMany(): Refusal {
  const message = `${UPLOADS_MAX} bundles are being uploaded already.`;
  return refuse("TOO_MANY_REQUESTS", message, "Try again in a moment.");
}
