// Where things are in the object store. Blobs and part documents are named by their content, below
// their job: what one job holds can be deleted without asking about any other.

import { assert } from "../../base/assert.ts";
import type { CheckpointId, Digest, JobId } from "../../base/ids.ts";

/** Bytes of one file of a checkpoint. */
export function blobKey(jobId: JobId, digest: Digest): string {
  return `${jobPrefix(jobId)}blobs/${digest}`;
}

/** What one task stored for one checkpoint. */
export function partKey(jobId: JobId, digest: Digest): string {
  return `${jobPrefix(jobId)}parts/${digest}.json`;
}

/** Written last: a checkpoint exists when its manifest does. */
export function manifestKey(checkpointId: CheckpointId): string {
  const [jobId, name, ...rest] = checkpointId.split("/");
  assert(
    jobId !== undefined && name !== undefined && rest.length === 0,
    `not a checkpoint id: ${checkpointId}`,
  );
  return `jobs/${jobId}/checkpoints/${name}/manifest.json`;
}

/** Packed code, shared by all jobs that use it. */
export function bundleKey(digest: Digest): string {
  return `bundles/${digest}.tar.gz`;
}

/** Everything that belongs to a job begins with this. */
function jobPrefix(jobId: JobId): string {
  return `jobs/${jobId}/`;
}
