// sha256 of bytes and files. Large files are read here and hashed on a thread of their own; small
// ones here too, in slices: at about 2 GB/s each holds the event loop up for a millisecond and no more.

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Digest, digest } from "../base/ids.ts";
import { localIo } from "./faults.ts";
import { HASH_THREAD, type RunningHash } from "./hash-thread.ts";
import type { CallOptions, Content } from "./port.ts";

export const SLICE_BYTES = 2 * 1024 * 1024;
/** From this size on a file is worth the way to another thread. */
const THREAD_BYTES = 8 * 1024 * 1024;

/** For small things: manifests, part documents. */
export function digestOf(bytes: Uint8Array): Digest {
  return digest(createHash("sha256").update(bytes).digest("hex"));
}

/** As `digestOf`, without holding the event loop up on tens of megabytes. */
export async function digestOfLarge(bytes: Uint8Array): Promise<Digest> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < bytes.length; offset += SLICE_BYTES) {
    hash.update(bytes.subarray(offset, offset + SLICE_BYTES));
    await nextTurn();
  }
  return digest(hash.digest("hex"));
}

/** Give it the bytes in `sharedBuffer`s. `drop` it when it is not asked for its digest. */
export function beginHash(sizeBytes: number): RunningHash {
  return sizeBytes >= THREAD_BYTES ? HASH_THREAD.begin() : beginHere();
}

function beginHere(): RunningHash {
  const hash = createHash("sha256");
  return {
    update: async (bytes) => {
      hash.update(bytes);
    },
    digest: async () => hash.digest("hex"),
    drop: () => {},
  };
}

/** Memory that the hashing thread sees as well. */
export function sharedBuffer(sizeBytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(sizeBytes));
}

/** What a file is now. */
export async function contentOf(path: string, options: CallOptions = {}): Promise<Content> {
  return await localIo("read", path, async () => {
    const handle = await open(path, "r");
    try {
      return await hashSlices(handle, options.signal, async () => true);
    } finally {
      await handle.close();
    }
  });
}

/**
 * Copies the rest of `from` into `to` and says what went through. Never more than a slice over
 * `sizeBytesMax`, so that a file that grows while it is read comes to an end.
 */
export async function copyHashing(
  from: FileHandle,
  to: FileHandle,
  sizeBytesMax: number,
  signal?: AbortSignal,
): Promise<Content> {
  return await hashSlices(from, signal, async (slice, offset) => {
    await writeAll(to, slice, offset);
    return offset + slice.length <= sizeBytesMax;
  });
}

/** Hashes each slice while it is used; `use` says whether to go on. */
async function hashSlices(
  handle: FileHandle,
  signal: AbortSignal | undefined,
  use: (slice: Buffer, offset: number) => Promise<boolean>,
): Promise<Content> {
  const { size } = await handle.stat();
  const hash = beginHash(size);
  let sizeBytes = 0;
  try {
    for await (const slice of slicesOf(handle, size, signal)) {
      const [goesOn] = await Promise.all([use(slice, sizeBytes), hash.update(slice)]);
      sizeBytes += slice.length;
      if (!goesOn) break;
    }
    return { sizeBytes, digest: digest(await hash.digest()) };
  } finally {
    hash.drop();
  }
}

/** As `copyHashing`, into a new file that must not exist yet. */
export async function copyToNew(
  from: FileHandle,
  path: string,
  sizeBytesMax: number,
  signal?: AbortSignal,
): Promise<Content> {
  return await localIo("write", path, async () => {
    const to = await open(path, "wx", 0o600);
    try {
      return await copyHashing(from, to, sizeBytesMax, signal);
    } finally {
      await to.close();
    }
  });
}

/** `write` may write less than it was given. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/**
 * The file's bytes from the start, each slice valid until the next one is asked for. The next read
 * is under way while the caller works on this one. `sizeBytes` is what it is expected to have.
 */
async function* slicesOf(
  handle: FileHandle,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, void> {
  const sliceBytes = Math.min(SLICE_BYTES, sizeBytes + 1);
  const even = sharedBuffer(sliceBytes);
  const odd = sharedBuffer(sliceBytes);
  let offset = 0;
  let pending = handle.read(even, 0, sliceBytes, 0);
  try {
    for (let turn = 1; ; turn += 1) {
      const { bytesRead, buffer } = await pending;
      signal?.throwIfAborted();
      if (bytesRead === 0) return;
      offset += bytesRead;
      pending = handle.read(turn % 2 === 0 ? even : odd, 0, sliceBytes, offset);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // The caller closes the handle next: no read may still be using it.
    await pending;
  }
}
