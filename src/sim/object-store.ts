// The virtual object store: parts and manifests of checkpoints by digest, some of them rotten. Keeps
// what it is given; knows nothing of jobs' lives.

import { must } from "../base/assert.ts";
import { type CheckpointId, type Digest, digest, type JobId } from "../base/ids.ts";
import type { CheckpointPart } from "../scheduler/core/job.ts";

export interface Manifest {
  readonly jobId: JobId;
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  readonly step: number;
  readonly parts: readonly CheckpointPart[];
  /** A byte has flipped somewhere: a restore finds out. */
  readonly isCorrupt: boolean;
}

export class ObjectStore {
  private readonly parts = new Set<Digest>();
  private readonly manifests = new Map<Digest, Manifest>();

  putPart(part: Digest): void {
    this.parts.add(part);
  }

  /** Idempotent: the same manifest has the same digest, and stays as rotten as it is. */
  putManifest(manifest: Manifest): Digest {
    const key = digest(`manifest:${manifest.checkpointId}`);
    if (!this.manifests.has(key)) this.manifests.set(key, manifest);
    return key;
  }

  manifest(key: Digest): Manifest {
    return must(this.manifests.get(key), `manifest ${key}`);
  }

  /** What a restore finds. */
  read(key: Digest): { readonly kind: "ok" | "corrupt"; readonly manifest: Manifest } | null {
    const manifest = this.manifests.get(key);
    if (manifest === undefined) return null;
    const isWhole = manifest.parts.every(
      (part) => part.digest === null || this.parts.has(part.digest),
    );
    return { kind: isWhole && !manifest.isCorrupt ? "ok" : "corrupt", manifest };
  }

  delete(key: Digest): void {
    this.manifests.delete(key);
  }
}
