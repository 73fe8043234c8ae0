// Files to S3: one PUT, or parts in parallel. The SDK's own multi-part helper is two to four times
// slower (it checksums in JavaScript and streams, which some stores answer with 411), so parts are
// read into buffers, their CRC32 and sha256 computed in slices beside the reading, and sent as
// they are. The whole file's sha256 is computed on what was really read: when it is not the
// expected one, the upload is not completed.

import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { assert, must } from "../base/assert.ts";
import { Fault } from "../base/errors.ts";
import { beginHash, sharedBuffer, SLICE_BYTES } from "./digest.ts";
import { localIo } from "./faults.ts";
import type { RunningHash } from "./hash-thread.ts";
import type { Slots } from "./parallel.ts";
import type { Content } from "./port.ts";
import {
  type BegunUpload,
  forgetNote,
  noteBegun,
  notePart,
  readNote,
  type SentPart,
} from "./upload-note.ts";
import { attempt, isMissing, isPlainText, isUploadGone, type S3Target } from "./s3-client.ts";

const PART_BYTES_MIN = 64 * 1024 * 1024;
/** S3 allows 10,000; the rest is headroom. */
const PARTS_AIMED_AT = 9_000;
/** Broken-off uploads to remember, so that a later try goes on where they stopped. */
const UNFINISHED_MAX = 32;

export function partBytesFor(sizeBytes: number, minBytes = PART_BYTES_MIN): number {
  return Math.max(minBytes, Math.ceil(sizeBytes / PARTS_AIMED_AT));
}

interface Unfinished {
  readonly key: string;
  readonly uploadId: string;
  readonly partBytes: number;
  readonly sent: Map<number, SentPart>;
  readonly notePath: string | null;
}

interface PartBytes {
  readonly bytes: Buffer;
  readonly crc: number;
  /** Empty when the connection is encrypted and nothing else asks for it. */
  readonly sha256: string;
}

interface PartRead {
  readonly path: string;
  readonly file: FileHandle;
  readonly offset: number;
  /** Shared memory, as large as the part. */
  readonly buffer: Buffer;
  /** Each is given what is read. */
  readonly hashes: readonly RunningHash[];
}

export interface UploadRequest {
  readonly key: string;
  readonly path: string;
  readonly content: Content;
  readonly signal: AbortSignal | undefined;
  /** See `PutFileOptions`; null = none. */
  readonly notePath: string | null;
}

export class S3Uploader {
  readonly #target: S3Target;
  readonly #slots: Slots;
  readonly #partBytesMin: number;
  readonly #unfinished = new Map<string, Unfinished>();

  constructor(target: S3Target, slots: Slots, partBytesMin = PART_BYTES_MIN) {
    this.#target = target;
    this.#slots = slots;
    this.#partBytesMin = partBytesMin;
  }

  async upload(request: UploadRequest): Promise<"stored" | "source_changed"> {
    const { path, content } = request;
    const file = await localIo("read", path, () => open(path, "r"));
    try {
      const isSmall = content.sizeBytes <= partBytesFor(content.sizeBytes, this.#partBytesMin);
      return await (isSmall ? this.#putWhole(request, file) : this.#putParts(request, file));
    } finally {
      await file.close();
    }
  }

  /** Drops what was begun and never finished. What is noted is left to who finds the note. */
  async abandon(): Promise<void> {
    const begun = [...this.#unfinished.values()].filter(({ notePath }) => notePath === null);
    this.#unfinished.clear();
    await Promise.all(begun.map((upload) => this.#abort(upload)));
  }

  async dropNoted(notePath: string, signal: AbortSignal | undefined): Promise<void> {
    const note = await readNote(notePath);
    if (note !== null) this.#unfinished.delete(unfinishedName(note.begun.key, note.begun));
    if (note !== null) await this.#abort({ ...note.begun, notePath }, signal);
    await forgetNote(notePath);
  }

  async #putWhole(
    { key, path, content, signal }: UploadRequest,
    file: FileHandle,
  ): Promise<"stored" | "source_changed"> {
    const release = await this.#slots.acquire();
    const whole = beginHash(content.sizeBytes);
    try {
      // Room for one byte more than there should be, to notice a file that has grown.
      const buffer = sharedBuffer(content.sizeBytes + 1);
      const part = await this.#readPart({ path, file, offset: 0, buffer, hashes: [whole] });
      const sha256 = await whole.digest();
      if (part.bytes.length !== content.sizeBytes || sha256 !== content.digest) {
        return "source_changed";
      }
      await this.put(key, { ...part, sha256 }, signal);
      return "stored";
    } finally {
      whole.drop();
      release();
    }
  }

  /** Stores bytes that are at hand. Throws the SDK's 412 as it is when `ifAbsent` says no. */
  async put(
    key: string,
    part: PartBytes,
    signal: AbortSignal | undefined,
    ifAbsent = false,
  ): Promise<void> {
    await attempt(this.#target, `store ${key}`, signal, async (options) => {
      const command = new PutObjectCommand({
        ...this.#object(key),
        Body: part.bytes,
        ContentLength: part.bytes.length,
        ...this.#checksum(part),
        ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
      });
      this.#signPayload(command, part);
      await this.#target.client.send(command, options);
    });
  }

  async #putParts(request: UploadRequest, file: FileHandle): Promise<"stored" | "source_changed"> {
    const upload =
      this.#take(request) ?? (await this.#takeNoted(request)) ?? (await this.#begin(request));
    try {
      const seen = await this.#sendParts(request, upload, file);
      if (seen !== request.content.digest) {
        await this.#abort(upload);
        return "source_changed";
      }
      await this.#complete(request, upload);
      if (upload.notePath !== null) await forgetNote(upload.notePath);
      return "stored";
    } catch (error) {
      await this.#remember(request, upload, error);
      throw error;
    }
  }

  /**
   * Reads in order, since the whole is hashed; sends in parallel. A slot is held from the reading
   * to the end of the sending: that bounds the memory. Returns the sha256 of the whole.
   */
  async #sendParts(
    { key, path, content, signal }: UploadRequest,
    upload: Unfinished,
    file: FileHandle,
  ): Promise<string> {
    const whole = beginHash(content.sizeBytes);
    const sending = new Set<Promise<void>>();
    const buffers: Buffer[] = [];
    const failures: unknown[] = [];
    let offset = 0;
    try {
      for (let number = 1; offset < content.sizeBytes && failures.length === 0; number += 1) {
        const release = await this.#slots.acquire();
        const buffer = buffers.pop() ?? sharedBuffer(upload.partBytes);
        const read = { path, file, offset, buffer, hashes: [whole] };
        const part = await this.#readSigned(read).catch((error: unknown) => {
          release();
          throw error;
        });
        offset += part.bytes.length;
        const sent = this.#sendPart({ key, upload, number, part, signal })
          .catch((error: unknown) => failures.push(error))
          .then(() => {
            sending.delete(sent);
            buffers.push(buffer);
            release();
          });
        sending.add(sent);
        if (part.bytes.length < upload.partBytes) break;
      }
      await Promise.all(sending);
      if (failures.length > 0) throw failures[0];
      return offset === content.sizeBytes ? await whole.digest() : "";
    } finally {
      await Promise.all(sending);
      whole.drop();
    }
  }

  /** As `#readPart`, with the part's own sha256 where it is to be signed. */
  async #readSigned(read: PartRead): Promise<PartBytes> {
    if (!isPlainText(this.#target)) return await this.#readPart(read);
    const own = beginHash(read.buffer.length);
    try {
      const part = await this.#readPart({ ...read, hashes: [...read.hashes, own] });
      return { ...part, sha256: await own.digest() };
    } finally {
      own.drop();
    }
  }

  /** Fills the buffer, unless the file ends before. One slice is hashed while the next is read. */
  async #readPart({ path, file, offset, buffer, hashes }: PartRead): Promise<PartBytes> {
    let crc = 0;
    let length = 0;
    let hashing: Promise<unknown> = Promise.resolve();
    while (length < buffer.length) {
      const wanted = Math.min(SLICE_BYTES, buffer.length - length);
      const reading = localIo("read", path, () =>
        file.read(buffer, length, wanted, offset + length),
      );
      const [{ bytesRead }] = await Promise.all([reading, hashing]);
      if (bytesRead === 0) break;
      const slice = buffer.subarray(length, length + bytesRead);
      hashing = Promise.all(hashes.map((hash) => hash.update(slice)));
      crc = crc32(slice, crc);
      length += bytesRead;
    }
    await hashing;
    return { bytes: buffer.subarray(0, length), crc, sha256: "" };
  }

  async #sendPart(send: {
    readonly key: string;
    readonly upload: Unfinished;
    readonly number: number;
    readonly part: PartBytes;
    readonly signal: AbortSignal | undefined;
  }): Promise<void> {
    const { key, upload, number, part, signal } = send;
    if (upload.sent.get(number)?.crc === part.crc) return;
    const what = `store part ${number} of ${key}`;
    const answer = await attempt(this.#target, what, signal, async (options) => {
      const command = new UploadPartCommand({
        ...this.#object(key),
        UploadId: upload.uploadId,
        PartNumber: number,
        Body: part.bytes,
        ContentLength: part.bytes.length,
        ...this.#checksum(part),
      });
      this.#signPayload(command, part);
      return await this.#target.client.send(command, options);
    });
    const sent = { etag: answer.ETag ?? "", crc: part.crc };
    upload.sent.set(number, sent);
    if (upload.notePath !== null) await notePart(upload.notePath, number, sent);
  }

  /** An upload of the same content that broke off earlier. */
  #take({ key, content }: UploadRequest): Unfinished | null {
    const name = unfinishedName(key, content);
    const found = this.#unfinished.get(name) ?? null;
    this.#unfinished.delete(name);
    return found;
  }

  /** One that another process began. The store says which of the noted parts it still has. */
  async #takeNoted(request: UploadRequest): Promise<Unfinished | null> {
    const { key, content, signal, notePath } = request;
    const note = notePath === null ? null : await readNote(notePath);
    if (notePath === null || note === null) return null;
    const { begun } = note;
    if (unfinishedName(begun.key, begun) !== unfinishedName(key, content)) {
      await this.dropNoted(notePath, signal);
      return null;
    }
    const there = await this.#partsThere(begun, signal);
    if (there === null) return null;
    const sent = new Map(
      [...note.parts].filter(([number, { etag }]) => there.get(number) === etag),
    );
    return { ...begun, sent, notePath };
  }

  /** ETags by part number; null when the store has forgotten the upload. */
  async #partsThere(
    { key, uploadId }: BegunUpload,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<number, string> | null> {
    const there = new Map<number, string>();
    let after: string | undefined;
    do {
      const page: ListPartsCommandOutput | null = await attempt(
        this.#target,
        `list the parts of ${key}`,
        signal,
        async (options) => {
          const marker = after === undefined ? {} : { PartNumberMarker: after };
          const input = { ...this.#object(key), UploadId: uploadId, ...marker };
          try {
            return await this.#target.client.send(new ListPartsCommand(input), options);
          } catch (error) {
            // Ceph calls it NoSuchKey, AWS NoSuchUpload.
            if (isMissing(error)) return null;
            throw error;
          }
        },
      );
      if (page === null) return null;
      for (const { PartNumber: number, ETag: etag } of page.Parts ?? []) {
        if (number !== undefined && etag !== undefined) there.set(number, etag);
      }
      after = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (after !== undefined);
    return there;
  }

  async #begin({ key, content, signal, notePath }: UploadRequest): Promise<Unfinished> {
    const what = `begin to store ${key}`;
    const algorithm = this.#sendsChecksums() ? { ChecksumAlgorithm: "CRC32" as const } : {};
    const answer = await attempt(this.#target, what, signal, (options) =>
      this.#target.client.send(
        new CreateMultipartUploadCommand({ ...this.#object(key), ...algorithm }),
        options,
      ),
    );
    const partBytes = partBytesFor(content.sizeBytes, this.#partBytesMin);
    const begun = { key, uploadId: must(answer.UploadId, "UploadId"), partBytes };
    if (notePath !== null) await noteBegun(notePath, { ...begun, ...content });
    return { ...begun, sent: new Map(), notePath };
  }

  async #complete({ key, content, signal }: UploadRequest, upload: Unfinished): Promise<void> {
    const numbered = [...upload.sent].sort(([a], [b]) => a - b);
    const parts = numbered.map(([number, { etag, crc }]) => ({
      PartNumber: number,
      ETag: etag,
      ...(this.#sendsChecksums() ? { ChecksumCRC32: encodeCrc(crc) } : {}),
    }));
    const command = () =>
      new CompleteMultipartUploadCommand({
        ...this.#object(key),
        UploadId: upload.uploadId,
        MultipartUpload: { Parts: parts },
      });
    try {
      await attempt(this.#target, `finish storing ${key}`, signal, (options) =>
        this.#target.client.send(command(), options),
      );
    } catch (error) {
      // It may have been finished by a try whose answer was lost.
      if (!isUploadGone(error) || !(await this.#isThere(key, content, signal))) throw error;
    }
  }

  async #isThere(key: string, content: Content, signal: AbortSignal | undefined): Promise<boolean> {
    return await attempt(this.#target, `look at ${key}`, signal, async (options) => {
      try {
        const command = new HeadObjectCommand(this.#object(key));
        return (
          (await this.#target.client.send(command, options)).ContentLength === content.sizeBytes
        );
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    });
  }

  /** What the store may still finish is kept; what is hopeless is dropped there too. */
  async #remember(request: UploadRequest, upload: Unfinished, error: unknown): Promise<void> {
    // Broken off, it is left to who finds the note.
    if (request.signal?.aborted === true && upload.notePath !== null) return;
    const isPassing = error instanceof Fault && error.isRetryable && !isUploadGone(error);
    const mayGoOn = isPassing && upload.sent.size > 0;
    if (!mayGoOn || this.#unfinished.size >= UNFINISHED_MAX) return await this.#abort(upload);
    this.#unfinished.set(unfinishedName(request.key, request.content), upload);
  }

  /** Best effort: what stays behind is cleared by the bucket's rule for incomplete uploads. */
  async #abort(
    { key, uploadId, notePath }: Pick<Unfinished, "key" | "uploadId" | "notePath">,
    signal?: AbortSignal,
  ): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#object(key), UploadId: uploadId });
    const options = signal === undefined ? {} : { abortSignal: signal };
    await this.#target.client.send(command, options).catch((error: unknown) => isMissing(error));
    if (notePath !== null) await forgetNote(notePath);
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#target.bucket, Key: this.#target.url.prefix + key };
  }

  #sendsChecksums(): boolean {
    return this.#target.url.checksums === "when_supported";
  }

  #checksum(part: PartBytes): { readonly ChecksumCRC32?: string } {
    return this.#sendsChecksums() ? { ChecksumCRC32: encodeCrc(part.crc) } : {};
  }

  /**
   * Over plain text the sha256 is signed, and every S3 checks it. The SDK would compute it itself
   * in one go and hold the event loop up; over TLS it is left out, as the SDK does not do by
   * itself.
   */
  #signPayload(command: PutObjectCommand | UploadPartCommand, part: PartBytes): void {
    const value = part.sha256 === "" ? "UNSIGNED-PAYLOAD" : part.sha256;
    const build = setHeader("x-amz-content-sha256", value);
    // The two stacks have different types, and `add` is not callable on their union.
    if (command instanceof PutObjectCommand) command.middlewareStack.add(build, BUILD_STEP);
    else command.middlewareStack.add(build, BUILD_STEP);
  }
}

const BUILD_STEP = { step: "build", name: "trainyardPayloadHash" } as const;

/** A middleware that sets one header of the request. */
function setHeader(name: string, value: string) {
  return <A extends { request: unknown }, R>(next: (args: A) => Promise<R>) =>
    async (args: A): Promise<R> => {
      const { request } = args;
      const hasHeaders = typeof request === "object" && request !== null && "headers" in request;
      assert(hasHeaders, "an HTTP request has headers");
      const { headers } = request;
      assert(typeof headers === "object" && headers !== null, "headers are an object");
      Object.assign(headers, { [name]: value });
      return await next(args);
    };
}

function unfinishedName(key: string, content: Content): string {
  return `${key} ${content.digest} ${content.sizeBytes}`;
}

/** Big-endian, as S3 wants it. */
function encodeCrc(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}
