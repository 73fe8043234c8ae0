// sha256 of bytes and files. Large files are hashed on a thread of their own; small ones, and bytes
// that are on their way elsewhere anyway, in slices of a megabyte: at about 2 GB/s each slice holds the
// event loop up for half a millisecond and no more.

import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Digest, digest } from "../base/ids.ts";
import { localIo } from "./faults.ts";
import { HASH_THREAD } from "./hash-thread.ts";
import type { CallOptions, Content } from "./port.ts";

export const SLICE_BYTES = 1024 * 1024;
/** From this size on a file is worth the way to another thread. */
const THREAD_BYTES = 8 * SLICE_BYTES;

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

/** What a file is now. */
export async function contentOf(path: string, options: CallOptions = {}): Promise<Content> {
  return await localIo("read", path, async () => {
    const { size } = await stat(path);
    if (size >= THREAD_BYTES) return await HASH_THREAD.contentOf(path, options.signal);
    const handle = await open(path, "r");
    try {
      return await contentOfHandle(handle, options.signal);
    } finally {
      await handle.close();
    }
  });
}

async function contentOfHandle(
  handle: FileHandle,
  signal: AbortSignal | undefined,
): Promise<Content> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const slice of slicesOf(handle, signal)) {
    hash.update(slice);
    sizeBytes += slice.length;
  }
  return { sizeBytes, digest: digest(hash.digest("hex")) };
}

/**
 * Copies the rest of `from` into `to` and says what went through. Never more than `sizeBytesMax`,
 * so that a file that grows while it is read comes to an end.
 */
export async function copyHashing(
  from: FileHandle,
  to: FileHandle,
  sizeBytesMax: number,
  signal?: AbortSignal,
): Promise<Content> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const slice of slicesOf(from, signal)) {
    hash.update(slice);
    await writeAll(to, slice, sizeBytes);
    sizeBytes += slice.length;
    if (sizeBytes > sizeBytesMax) break;
  }
  return { sizeBytes, digest: digest(hash.digest("hex")) };
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
 * is under way while the caller works on this one.
 */
export async function* slicesOf(
  handle: FileHandle,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  const even = Buffer.allocUnsafeSlow(SLICE_BYTES);
  const odd = Buffer.allocUnsafeSlow(SLICE_BYTES);
  let offset = 0;
  let pending = handle.read(even, 0, SLICE_BYTES, 0);
  try {
    for (let turn = 1; ; turn += 1) {
      const { bytesRead, buffer } = await pending;
      signal?.throwIfAborted();
      if (bytesRead === 0) return;
      offset += bytesRead;
      pending = handle.read(turn % 2 === 0 ? even : odd, 0, SLICE_BYTES, offset);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // The caller closes the handle next: no read may still be using it.
    await pending;
  }
}
