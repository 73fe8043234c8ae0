// One complete checkpoint of one task to the object store: every file as a blob named by its
// sha256, then the part document that lists them. Hashing one file goes on while another is sent.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest, JobId } from "../base/ids.ts";
import { contentOf } from "../objects/digest.ts";
import { localIo } from "../objects/faults.ts";
import { forEachLimited } from "../objects/parallel.ts";
import type { Content, ObjectStore } from "../objects/port.ts";
import type { BlobCache } from "./blob-cache.ts";
import type { PartDocument, StoredFile } from "./core/documents.ts";
import { blobKey } from "./core/keys.ts";
import { folderOf, isMetadata, type LayoutKind } from "./core/layouts.ts";
import { shardNamesIn } from "./core/union.ts";
import { storePart } from "./documents-io.ts";
import { isUnchanged, type Staged, type StagedFile } from "./staging.ts";

const FILES_AT_ONCE = 4;

export interface PartUpload {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  readonly step: number;
  readonly layout: LayoutKind;
  readonly staged: Staged;
  /** Blobs of which it is worth asking whether the store has them; others are sent unasked. */
  readonly likelyStored: ReadonlySet<Digest>;
  /** Folder for the notes of long uploads. */
  readonly notesDir: string;
}

export interface UploadedPart {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly uploadedBytes: number;
  readonly blobs: readonly Digest[];
}

/** Null when a file was rewritten meanwhile: nothing was stored that anybody would find. */
export async function uploadPart(
  objects: ObjectStore,
  cache: BlobCache | null,
  upload: PartUpload,
  signal: AbortSignal,
): Promise<UploadedPart | null> {
  const sender = new BlobSender(objects, upload, signal);
  const files: StoredFile[] = [];
  const requires: string[] = [];
  let isChanged = false;
  await forEachLimited(upload.staged.files, FILES_AT_ONCE, async (file) => {
    if (isChanged) return;
    const content = await contentOf(file.path, { signal });
    const isSame = content.sizeBytes === file.listed.sizeBytes;
    if (!isSame || !(await sender.send(file, content))) isChanged = true;
    files.push({ path: file.listed.path, ...content, mode: file.mode });
    if (isMetadata(file.listed.path)) requires.push(...(await shardsOf(file)));
  });
  if (isChanged || !(await isUnchanged(upload.staged))) return null;
  const { jobId, attempt, rank, step, layout } = upload;
  const document: PartDocument = { jobId, attempt, rank, step, layout, files, requires };
  const digest = await storePart(objects, document, { signal });
  if (cache !== null) await offerAll(cache, upload.staged.files, files);
  return {
    digest,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    uploadedBytes: sender.sentBytes,
    blobs: [...new Set(files.map((file) => file.digest))],
  };
}

/** Sends each content once, however many files have it. */
class BlobSender {
  sentBytes = 0;
  readonly #objects: ObjectStore;
  readonly #upload: PartUpload;
  readonly #signal: AbortSignal;
  readonly #begun = new Map<Digest, Promise<boolean>>();

  constructor(objects: ObjectStore, upload: PartUpload, signal: AbortSignal) {
    this.#objects = objects;
    this.#upload = upload;
    this.#signal = signal;
  }

  /** False when the file turned out to be another. */
  async send(file: StagedFile, content: Content): Promise<boolean> {
    const begun = this.#begun.get(content.digest) ?? this.#sendOnce(file, content);
    this.#begun.set(content.digest, begun);
    return await begun;
  }

  async #sendOnce(file: StagedFile, content: Content): Promise<boolean> {
    const key = blobKey(this.#upload.jobId, content.digest);
    const notePath = join(this.#upload.notesDir, content.digest);
    const options = { signal: this.#signal, notePath };
    if (this.#upload.likelyStored.has(content.digest)) {
      const there = await this.#objects.head(key, options);
      if (there?.sizeBytes === content.sizeBytes) return true;
    }
    const result = await this.#objects.putFile(key, file.path, content, options);
    if (result === "source_changed") return false;
    this.sentBytes += content.sizeBytes;
    return true;
  }
}

/** Paths of the shards that a `.metadata` speaks of: they lie beside it. */
async function shardsOf(file: StagedFile): Promise<readonly string[]> {
  const bytes = await localIo("read", file.path, () => readFile(file.path));
  const folder = folderOf(file.listed.path);
  return shardNamesIn(bytes.toString("latin1")).map((name) =>
    folder === "" ? name : `${folder}/${name}`,
  );
}

async function offerAll(
  cache: BlobCache,
  staged: readonly StagedFile[],
  files: readonly StoredFile[],
): Promise<void> {
  const digests = new Map(files.map(({ path, digest }) => [path, digest]));
  for (const { listed, path } of staged) {
    const digest = digests.get(listed.path);
    if (digest !== undefined) await cache.offer(digest, path);
  }
}
