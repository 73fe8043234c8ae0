// What an object in the store is by its key, and which of a job's objects nothing needs any more.
// Deciding only: looking and deleting is the scheduler's sweep. Whatever has a key that this program
// does not write is nobody's business here.

import {
  checkpointId,
  type CheckpointId,
  digest,
  type Digest,
  jobId,
  type JobId,
} from "../../base/ids.ts";
import { blobKey, manifestKey, partKey } from "./keys.ts";

export type ObjectRole =
  | { readonly kind: "manifest"; readonly jobId: JobId; readonly checkpointId: CheckpointId }
  | { readonly kind: "blob" | "part"; readonly jobId: JobId; readonly digest: Digest }
  | { readonly kind: "bundle"; readonly digest: Digest };

const JOB_OBJECT =
  /^jobs\/(job-[1-9][0-9]*)\/(?:blobs\/([0-9a-f]{64})|parts\/([0-9a-f]{64})\.json|checkpoints\/([^/]+)\/manifest\.json)$/;
const BUNDLE = /^bundles\/([0-9a-f]{64})\.tar\.gz$/;

/** Null for a key that is none of ours. */
export function roleOf(key: string): ObjectRole | null {
  const bundle = BUNDLE.exec(key)?.[1];
  if (bundle !== undefined) return { kind: "bundle", digest: digest(bundle) };
  const [, job, blob, part, name] = JOB_OBJECT.exec(key) ?? [];
  if (job === undefined) return null;
  const id = jobId(job);
  if (blob !== undefined) return { kind: "blob", jobId: id, digest: digest(blob) };
  if (part !== undefined) return { kind: "part", jobId: id, digest: digest(part) };
  return { kind: "manifest", jobId: id, checkpointId: checkpointId(`${job}/${name}`) };
}

/** A checkpoint that stays, with what its part documents name. */
export interface KeptCheckpoint {
  readonly id: CheckpointId;
  readonly parts: readonly Digest[];
  readonly blobs: readonly Digest[];
}

export function keysOf(job: JobId, kept: readonly KeptCheckpoint[]): ReadonlySet<string> {
  return new Set(
    kept.flatMap(({ id, parts, blobs }) => [
      manifestKey(id),
      ...parts.map((part) => partKey(job, part)),
      ...blobs.map((blob) => blobKey(job, blob)),
    ]),
  );
}

/** In the order of deletion: whoever finds a manifest finds all that it names. */
export function inOrderOfDeletion<T extends { readonly key: string }>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => rankOf(a.key) - rankOf(b.key));
}

const RANKS = { manifest: 0, blob: 1, part: 2, bundle: 3 } as const;
const rankOf = (key: string): number => RANKS[roleOf(key)?.kind ?? "bundle"];
