// The object store in an S3 bucket, of AWS or compatible. Relies on as little as possible: no ETags
// as checksums, no trailers, no batch delete. Loaded only when an `s3://` URL is opened.

import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { crc32 } from "node:zlib";
import { Fault } from "../base/errors.ts";
import { digestOfLarge } from "./digest.ts";
import { storeUnavailable } from "./faults.ts";
import { assertKey, assertPrefix } from "./key.ts";
import { createSlots, forEachLimited, type Slots } from "./parallel.ts";
import {
  type CallOptions,
  type Content,
  GET_LIMIT_BYTES_DEFAULT,
  type GetOptions,
  type ObjectInfo,
  type ObjectStore,
  type PutFileOptions,
  type PutOptions,
  type UnfinishedUpload,
} from "./port.ts";
import { attempt, isMissing, openTarget, type S3Target, statusOf } from "./s3-client.ts";
import { downloadFile, drop } from "./s3-download.ts";
import { S3Uploader } from "./s3-upload.ts";
import type { S3Url } from "./url.ts";

const DELETES_AT_ONCE = 16;

export interface S3StoreOptions {
  /** Files above this go up in parts. Default 64 MiB; S3's own least is 5 MiB. */
  readonly partBytesMin?: number;
}

/** Checks that the bucket is there: a wrong URL should fail at the start, not hours later. */
export async function openS3Store(url: S3Url, options: S3StoreOptions = {}): Promise<ObjectStore> {
  const target = openTarget(url);
  await attempt(target, "be opened", undefined, async () => {
    try {
      await target.client.send(new HeadBucketCommand({ Bucket: target.bucket }));
    } catch (error) {
      if (!isMissing(error)) throw error;
      const what = `there is no bucket ${target.bucket}. Create it or correct the URL.`;
      throw storeUnavailable(target.name, what, { cause: error, isRetryable: false });
    }
  });
  return new S3Store(target, options);
}

class S3Store implements ObjectStore {
  readonly name: string;
  readonly #target: S3Target;
  readonly #slots: Slots;
  readonly #uploader: S3Uploader;

  constructor(target: S3Target, options: S3StoreOptions) {
    this.name = target.name;
    this.#target = target;
    this.#slots = createSlots(target.url.parallel);
    this.#uploader = new S3Uploader(target, this.#slots, options.partBytesMin);
  }

  async put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions = {},
  ): Promise<"stored" | "exists"> {
    assertKey(key);
    const { signal, ifAbsent = false } = options;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const part = { bytes: body, crc: crc32(body), sha256: await digestOfLarge(body) };
    try {
      await this.#uploader.put(key, part, signal, ifAbsent);
      return "stored";
    } catch (error) {
      const cause = error instanceof Fault ? error.cause : error;
      if (ifAbsent && statusOf(cause) === 412) return "exists";
      throw error;
    }
  }

  async putFile(
    key: string,
    path: string,
    content: Content,
    options: PutFileOptions = {},
  ): Promise<"stored" | "source_changed"> {
    assertKey(key);
    const { signal, notePath = null } = options;
    return await this.#uploader.upload({ key, path, content, signal, notePath });
  }

  async dropUpload(notePath: string, options: CallOptions = {}): Promise<void> {
    await this.#uploader.dropNoted(notePath, options.signal);
  }

  async get(key: string, options: GetOptions = {}): Promise<Buffer | null> {
    assertKey(key);
    const { range, signal, limitBytes = GET_LIMIT_BYTES_DEFAULT } = options;
    if (range !== undefined && range.sizeBytes === 0) return Buffer.alloc(0);
    const last = range === undefined ? 0 : range.offset + range.sizeBytes - 1;
    const header = range === undefined ? {} : { Range: `bytes=${range.offset}-${last}` };
    return await attempt(this.#target, `read ${key}`, signal, async (send) => {
      try {
        const command = new GetObjectCommand({ ...this.#object(key), ...header });
        const answer = await this.#target.client.send(command, send);
        if ((answer.ContentLength ?? 0) > limitBytes) {
          drop(answer.Body);
          throw this.#tooLarge(key, limitBytes);
        }
        const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      } catch (error) {
        if (isMissing(error)) return null;
        // A range that begins past the end: nothing, as in a folder.
        if (statusOf(error) === 416) return Buffer.alloc(0);
        throw error;
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
    const { signal } = options;
    await downloadFile({ target: this.#target, slots: this.#slots, key, path, content, signal });
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | null> {
    assertKey(key);
    return await attempt(this.#target, `look at ${key}`, options.signal, async (send) => {
      try {
        const command = new HeadObjectCommand(this.#object(key));
        const answer = await this.#target.client.send(command, send);
        return infoOf(key, answer.ContentLength, answer.LastModified);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    assertPrefix(prefix);
    const own = this.#target.url.prefix;
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await attempt(
        this.#target,
        `list ${prefix}`,
        options.signal,
        (send) =>
          this.#target.client.send(
            new ListObjectsV2Command({
              Bucket: this.#target.bucket,
              Prefix: own + prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            send,
          ),
      );
      for (const { Key: key, Size: sizeBytes, LastModified: at } of page.Contents ?? []) {
        if (key?.startsWith(own)) yield infoOf(key.slice(own.length), sizeBytes, at);
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async *unfinished(
    prefix: string,
    options: CallOptions = {},
  ): AsyncGenerator<UnfinishedUpload, void, void> {
    assertPrefix(prefix);
    const own = this.#target.url.prefix;
    const whole = { Bucket: this.#target.bucket, Prefix: own + prefix };
    let from: Pick<ListMultipartUploadsCommandInput, "KeyMarker" | "UploadIdMarker"> | null = {};
    while (from !== null) {
      const command = new ListMultipartUploadsCommand({ ...whole, ...from });
      const what = `list the unfinished uploads of ${prefix}`;
      const page: ListMultipartUploadsCommandOutput = await attempt(
        this.#target,
        what,
        options.signal,
        (send) => this.#target.client.send(command, send),
      );
      for (const { Key: key, UploadId: uploadId, Initiated: at } of page.Uploads ?? []) {
        if (uploadId === undefined || key?.startsWith(own) !== true) continue;
        yield { key: key.slice(own.length), uploadId, begunAtMs: (at ?? new Date()).getTime() };
      }
      const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      from = IsTruncated === true && KeyMarker !== undefined ? { KeyMarker } : null;
      if (from !== null && UploadIdMarker !== undefined) from = { ...from, UploadIdMarker };
    }
  }

  async dropUnfinished(
    uploads: readonly UnfinishedUpload[],
    options: CallOptions = {},
  ): Promise<void> {
    await forEachLimited(uploads, DELETES_AT_ONCE, async ({ key, uploadId }) => {
      const command = new AbortMultipartUploadCommand({ ...this.#object(key), UploadId: uploadId });
      await attempt(this.#target, `drop an upload of ${key}`, options.signal, async (send) => {
        try {
          await this.#target.client.send(command, send);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      });
    });
  }

  /** One by one: batch delete needs a checksum header about which the stores disagree. */
  async delete(keys: readonly string[], options: CallOptions = {}): Promise<void> {
    for (const key of keys) assertKey(key);
    await forEachLimited(keys, DELETES_AT_ONCE, async (key) => {
      await attempt(this.#target, `delete ${key}`, options.signal, async (send) => {
        try {
          await this.#target.client.send(new DeleteObjectCommand(this.#object(key)), send);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      });
    });
  }

  async close(): Promise<void> {
    await this.#uploader.abandon();
    this.#target.client.destroy();
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#target.bucket, Key: this.#target.url.prefix + key };
  }

  #tooLarge(key: string, limitBytes: number): Fault {
    const message = `${this.name}: ${key} is more than ${limitBytes} bytes.`;
    return new Fault("TOO_LARGE", message, { isRetryable: false });
  }
}

/** A store that does not say when counts as now: what is young is spared. */
function infoOf(key: string, sizeBytes = 0, modifiedAt = new Date()): ObjectInfo {
  return { key, sizeBytes, modifiedAtMs: modifiedAt.getTime() };
}
