// The scheduler's side: makes a checkpoint out of parts, and deletes what no checkpoint needs. The
// manifest is written last and deleted first, so that whoever finds one finds all of it.

import { must } from "../base/assert.ts";
import { Fault } from "../base/errors.ts";
import type { CheckpointId, Digest, JobId } from "../base/ids.ts";
import { digestOf } from "../objects/digest.ts";
import { storeCorrupt } from "../objects/faults.ts";
import { forEachLimited } from "../objects/parallel.ts";
import type { CallOptions, ObjectStore } from "../objects/port.ts";
import { encodeManifest, type Manifest, type PartDocument } from "./core/documents.ts";
import { blobKey, manifestKey, partKey } from "./core/keys.ts";
import { whatIsMissing } from "./core/union.ts";
import { digestOfStored, loadParts } from "./documents-io.ts";

const HEADS_AT_ONCE = 16;

export interface ReportedPart {
  readonly rank: number;
  /** Of the part document. */
  readonly digest: Digest | null;
  readonly sizeBytes: number;
}

export interface CommitRequest {
  readonly jobId: JobId;
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  readonly step: number;
  /** As the agents reported them; `digest` is null for a task that wrote nothing. */
  readonly parts: readonly ReportedPart[];
}

export interface RemoveRequest {
  readonly jobId: JobId;
  readonly checkpointId: CheckpointId;
  readonly parts: readonly Pick<ReportedPart, "digest">[];
  /** Parts of every other checkpoint of the job, committed or gathering: they keep their blobs. */
  readonly retainedParts: readonly Pick<ReportedPart, "digest">[];
}

export interface Committer {
  /**
   * Returns the manifest's digest. Throws `STORE_UNAVAILABLE` (try again) or `STORE_CORRUPT` (this
   * checkpoint will never be whole: reject it). Doing it twice is fine.
   */
  commit(request: CommitRequest, options?: CallOptions): Promise<Digest>;
  /** Doing it again finishes what was broken off. */
  remove(request: RemoveRequest, options?: CallOptions): Promise<void>;
}

export function createCommitter({ objects }: { readonly objects: ObjectStore }): Committer {
  return {
    commit: (request, options = {}) => commit(objects, request, options),
    remove: (request, options = {}) => remove(objects, request, options),
  };
}

async function commit(
  objects: ObjectStore,
  request: CommitRequest,
  options: CallOptions,
): Promise<Digest> {
  const { jobId, checkpointId, attempt, step } = request;
  const reported = withDocument(request.parts);
  const names = reported.map(({ digest }) => digest);
  const parts = await loadParts(objects, jobId, names, options);
  for (const [index, part] of parts.entries()) {
    const { rank } = must(reported[index], "a reported part for each document");
    checkBelongs(objects, { ...request, rank }, part);
  }
  const missing = whatIsMissing(parts);
  if (missing !== null)
    throw storeCorrupt(objects.name, checkpointId, `is not whole: ${missing.message}`);
  await checkBlobs(objects, jobId, parts, options);
  const manifest: Manifest = {
    jobId,
    checkpointId,
    attempt,
    step,
    parts: reported,
  };
  return await writeManifest(objects, manifest, options);
}

/** A part of another checkpoint under this one's name would be a mixture of two states. */
function checkBelongs(
  objects: ObjectStore,
  wanted: Pick<CommitRequest, "jobId" | "checkpointId" | "attempt" | "step"> & { rank: number },
  part: PartDocument,
): void {
  const belongs =
    part.jobId === wanted.jobId &&
    part.attempt === wanted.attempt &&
    part.step === wanted.step &&
    part.rank === wanted.rank;
  if (belongs) return;
  const { jobId, attempt, step, rank } = part;
  const what = `has a part of ${jobId}, attempt ${attempt}, step ${step}, rank ${rank}`;
  throw storeCorrupt(objects.name, wanted.checkpointId, `${what} for its rank ${wanted.rank}`);
}

/** The store said once that each blob is durable; here it is asked, before anybody relies on it. */
async function checkBlobs(
  objects: ObjectStore,
  jobId: JobId,
  parts: readonly PartDocument[],
  options: CallOptions,
): Promise<void> {
  const blobs = new Map(parts.flatMap(({ files }) => files.map((file) => [file.digest, file])));
  await forEachLimited(blobs.values(), HEADS_AT_ONCE, async ({ digest, sizeBytes, path }) => {
    const key = blobKey(jobId, digest);
    const there = await objects.head(key, options);
    if (there === null) throw storeCorrupt(objects.name, key, `(${path}) is missing`);
    if (there.sizeBytes === sizeBytes) return;
    const what = `(${path}) has ${there.sizeBytes} instead of ${sizeBytes} bytes`;
    throw storeCorrupt(objects.name, key, what);
  });
}

async function writeManifest(
  objects: ObjectStore,
  manifest: Manifest,
  options: CallOptions,
): Promise<Digest> {
  const bytes = Buffer.from(encodeManifest(manifest));
  const name = digestOf(bytes);
  const key = manifestKey(manifest.checkpointId);
  if ((await objects.put(key, bytes, { ...options, ifAbsent: true })) === "stored") return name;
  // Ours from an earlier try, whose answer was lost; or somebody else's.
  const there = await digestOfStored(objects, key, options);
  if (there === name) return name;
  if (there === null) {
    const message = `${objects.name}: ${key} is there and not there; another committer is at work.`;
    throw new Fault("STORE_UNAVAILABLE", message);
  }
  throw storeCorrupt(objects.name, key, "is another manifest of the same checkpoint");
}

/**
 * Manifest, blobs, part documents: the part documents say which blobs there are, so they go last. A
 * retained part that cannot be read stops it all before anything is deleted.
 */
async function remove(
  objects: ObjectStore,
  request: RemoveRequest,
  options: CallOptions,
): Promise<void> {
  const { jobId, checkpointId } = request;
  const retained = new Set(withDocument(request.retainedParts).map(({ digest }) => digest));
  const named = withDocument(request.parts).map(({ digest }) => digest);
  const doomed = named.filter((name) => !retained.has(name));
  const keptParts = await loadParts(objects, jobId, [...retained], options);
  const keptBlobs = new Set(digestsIn(keptParts));
  await objects.delete([manifestKey(checkpointId)], options);
  const parts = await loadThoseThere(objects, jobId, doomed, options);
  const blobs = digestsIn(parts).filter((digest) => !keptBlobs.has(digest));
  await objects.delete(
    blobs.map((digest) => blobKey(jobId, digest)),
    options,
  );
  await objects.delete(
    doomed.map((name) => partKey(jobId, name)),
    options,
  );
}

/**
 * Of a removal that was broken off, some part documents are gone already, and their blobs with
 * them.
 */
async function loadThoseThere(
  objects: ObjectStore,
  jobId: JobId,
  names: readonly Digest[],
  options: CallOptions,
): Promise<readonly PartDocument[]> {
  const there: Digest[] = [];
  await forEachLimited(names, HEADS_AT_ONCE, async (name) => {
    if ((await objects.head(partKey(jobId, name), options)) !== null) there.push(name);
  });
  return await loadParts(objects, jobId, there, options);
}

function digestsIn(parts: readonly PartDocument[]): readonly Digest[] {
  return [...new Set(parts.flatMap(({ files }) => files.map(({ digest }) => digest)))];
}

function withDocument<T extends { readonly digest: Digest | null }>(
  parts: readonly T[],
): readonly (T & { readonly digest: Digest })[] {
  return parts.flatMap((part) => (part.digest === null ? [] : [{ ...part, digest: part.digest }]));
}
