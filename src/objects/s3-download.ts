// Files from S3: ranges in parallel, written at their places, the whole verified by sha256 before
// it gets its name.

import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { contentOf, writeAll } from "./digest.ts";
import { localIo, storeCorrupt, storeUnavailable } from "./faults.ts";
import { forEachLimited, type Slots } from "./parallel.ts";
import type { Content } from "./port.ts";
import { attempt, isMissing, type S3Target, statusOf } from "./s3-client.ts";

const RANGE_BYTES = 32 * 1024 * 1024;
/** Socket chunks are 64 KiB: gathered, so that a write is worth its thread hop. */
const WRITE_BYTES = 1024 * 1024;

interface Range {
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface DownloadRequest {
  readonly target: S3Target;
  readonly slots: Slots;
  readonly key: string;
  readonly path: string;
  readonly content: Content;
  readonly signal: AbortSignal | undefined;
}

export async function downloadFile(request: DownloadRequest): Promise<void> {
  const { target, key, path, content, signal } = request;
  const part = `${path}.${randomUUID()}.part`;
  try {
    const file = await localIo("write", part, () => open(part, "wx", 0o600));
    try {
      await forEachLimited(rangesOf(content.sizeBytes), target.url.parallel, (range) =>
        downloadRange(request, file, range),
      );
    } finally {
      await file.close();
    }
    const seen = await contentOf(part, { signal });
    if (seen.digest !== content.digest) {
      const what = `holds bytes with the sha256 ${seen.digest} instead of ${content.digest}`;
      throw storeCorrupt(target.name, key, what);
    }
    await localIo("write", path, () => rename(part, path));
  } finally {
    await rm(part, { force: true });
  }
}

/** An empty object has one empty range, so that its size is looked at all the same. */
function rangesOf(sizeBytes: number): readonly Range[] {
  const ranges: Range[] = [];
  for (let offset = 0; offset === 0 || offset < sizeBytes; offset += RANGE_BYTES) {
    ranges.push({ offset, sizeBytes: Math.min(RANGE_BYTES, sizeBytes - offset) });
  }
  return ranges;
}

async function downloadRange(
  request: DownloadRequest,
  file: FileHandle,
  range: Range,
): Promise<void> {
  const { target, slots, key, content, signal } = request;
  const release = await slots.acquire();
  try {
    await attempt(target, `read ${key}`, signal, async (options) => {
      const command = new GetObjectCommand({
        Bucket: target.bucket,
        Key: target.url.prefix + key,
        ...(content.sizeBytes === 0 ? {} : { Range: httpRange(range) }),
      });
      const answer = await target.client.send(command, options).catch((error: unknown) => {
        throw asCorrupt(request, error);
      });
      const total = totalBytes(answer.ContentRange, answer.ContentLength);
      if (total !== content.sizeBytes) {
        drop(answer.Body);
        const what = `has ${total} instead of ${content.sizeBytes} bytes`;
        throw storeCorrupt(target.name, key, what);
      }
      if (!(answer.Body instanceof Readable)) throw storeUnavailable(target.name, "sent no body");
      const written = await writeStream(answer.Body, file, range, request.path);
      if (written === range.sizeBytes) return;
      throw storeUnavailable(target.name, `the connection ended early while reading ${key}`);
    });
  } finally {
    release();
  }
}

/** A body that nobody reads would keep its connection. */
export function drop(body: unknown): void {
  if (body instanceof Readable) body.destroy();
}

function httpRange(range: Range): string {
  return `bytes=${range.offset}-${range.offset + range.sizeBytes - 1}`;
}

/** Missing, or shorter than the range asked for: then the store lost what it once confirmed. */
function asCorrupt(request: DownloadRequest, error: unknown): unknown {
  const { target, key, content } = request;
  if (isMissing(error)) return storeCorrupt(target.name, key, "is missing");
  if (statusOf(error) !== 416) return error;
  return storeCorrupt(target.name, key, `has fewer than ${content.sizeBytes} bytes`);
}

/** Of `bytes 0-9/1234` the 1234; without a range the length is the whole. */
function totalBytes(contentRange: string | undefined, contentLength: number | undefined): number {
  const total = contentRange === undefined ? undefined : contentRange.split("/")[1];
  return total === undefined ? (contentLength ?? -1) : Number(total);
}

async function writeStream(
  body: Readable,
  file: FileHandle,
  range: Range,
  path: string,
): Promise<number> {
  let done = 0;
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  const write = async (): Promise<void> => {
    const bytes = Buffer.concat(gathered, gatheredBytes);
    await localIo("write", path, () => writeAll(file, bytes, range.offset + done));
    done += bytes.length;
    gathered = [];
    gatheredBytes = 0;
  };
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("the body is not binary");
    gathered.push(chunk);
    gatheredBytes += chunk.length;
    if (done + gatheredBytes > range.sizeBytes) break;
    if (gatheredBytes >= WRITE_BYTES) await write();
  }
  if (done + gatheredBytes > range.sizeBytes) return done + gatheredBytes;
  await write();
  return done;
}
