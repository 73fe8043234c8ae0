// Manifests and part documents to and from the object store. What is read is checked against the
// digest by which it was asked for, so a store that lies is noticed here.

import { Fault } from "../base/errors.ts";
import { type CheckpointId, type Digest, digest, type JobId } from "../base/ids.ts";
import { digestOf } from "../objects/digest.ts";
import { storeCorrupt } from "../objects/faults.ts";
import { forEachLimited } from "../objects/parallel.ts";
import type { CallOptions, ObjectStore } from "../objects/port.ts";
import {
  decodeManifest,
  decodePart,
  DOCUMENT_BYTES_MAX,
  encodePart,
  type Manifest,
  type PartDocument,
} from "./core/documents.ts";
import { isRefusal } from "./core/json-fields.ts";
import { manifestKey, partKey } from "./core/keys.ts";

const PARTS_AT_ONCE = 8;

/** Returns the document's digest, by which it is found again. */
export async function storePart(
  objects: ObjectStore,
  part: PartDocument,
  options: CallOptions = {},
): Promise<Digest> {
  const bytes = Buffer.from(encodePart(part));
  if (bytes.length > DOCUMENT_BYTES_MAX) {
    const message = `A checkpoint of ${part.files.length} files is too large to be listed.`;
    throw new Fault("TOO_LARGE", message, { isRetryable: false });
  }
  const name = digestOf(bytes);
  await objects.put(partKey(part.jobId, name), bytes, options);
  return name;
}

export async function loadParts(
  objects: ObjectStore,
  jobId: JobId,
  digests: readonly Digest[],
  options: CallOptions = {},
): Promise<readonly PartDocument[]> {
  const parts = new Map<Digest, PartDocument>();
  await forEachLimited(digests, PARTS_AT_ONCE, async (name) => {
    parts.set(name, await loadPart(objects, jobId, name, options));
  });
  return digests.flatMap((name) => parts.get(name) ?? []);
}

async function loadPart(
  objects: ObjectStore,
  jobId: JobId,
  name: Digest,
  options: CallOptions,
): Promise<PartDocument> {
  const key = partKey(jobId, name);
  const part = decodePart(await loadText(objects, key, name, options));
  if (isRefusal(part)) throw storeCorrupt(objects.name, key, `is unreadable: ${part.message}`);
  return part;
}

export async function loadManifest(
  objects: ObjectStore,
  checkpointId: CheckpointId,
  name: Digest,
  options: CallOptions = {},
): Promise<Manifest> {
  const key = manifestKey(checkpointId);
  const manifest = decodeManifest(await loadText(objects, key, name, options));
  if (isRefusal(manifest)) {
    throw storeCorrupt(objects.name, key, `is unreadable: ${manifest.message}`);
  }
  if (manifest.checkpointId === checkpointId) return manifest;
  throw storeCorrupt(objects.name, key, `is the manifest of ${manifest.checkpointId}`);
}

/** Null = there is no such object. */
export async function digestOfStored(
  objects: ObjectStore,
  key: string,
  options: CallOptions,
): Promise<Digest | null> {
  const bytes = await objects.get(key, { ...options, limitBytes: DOCUMENT_BYTES_MAX });
  return bytes === null ? null : digest(digestOf(bytes));
}

async function loadText(
  objects: ObjectStore,
  key: string,
  name: Digest,
  options: CallOptions,
): Promise<string> {
  const bytes = await objects.get(key, { ...options, limitBytes: DOCUMENT_BYTES_MAX });
  if (bytes === null) throw storeCorrupt(objects.name, key, "is missing");
  const seen = digestOf(bytes);
  if (seen === name) return bytes.toString("utf8");
  throw storeCorrupt(objects.name, key, `has the sha256 ${seen} instead of ${name}`);
}

/** A committed checkpoint, as the scheduler names it to agents. */
export interface ResumeRef {
  readonly checkpointId: CheckpointId;
  readonly step: number;
  readonly manifestDigest: Digest;
}

/** The blobs of a committed checkpoint. */
export async function loadBlobDigests(
  objects: ObjectStore,
  { checkpointId, manifestDigest }: ResumeRef,
  options: CallOptions,
): Promise<readonly Digest[]> {
  const manifest = await loadManifest(objects, checkpointId, manifestDigest, options);
  const names = manifest.parts.map((part) => part.digest);
  return await loadBlobsOf(objects, manifest.jobId, names, options);
}

/** The blobs that part documents of a job name. */
export async function loadBlobsOf(
  objects: ObjectStore,
  jobId: JobId,
  names: readonly Digest[],
  options: CallOptions,
): Promise<readonly Digest[]> {
  const parts = await loadParts(objects, jobId, names, options);
  return parts.flatMap(({ files }) => files.map((file) => file.digest));
}
