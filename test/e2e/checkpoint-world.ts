// A temporary world for checkpoint tests: a store that can fail, a checkpoint folder per rank, real
// watches on them, and what the scheduler would do with their parts.

import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CheckpointId, checkpointId, type Digest, jobId } from "../../src/base/ids.ts";
import type { Clock } from "../../src/base/time.ts";
import { type BlobCache, createBlobCache } from "../../src/checkpoint/blob-cache.ts";
import { createCommitter } from "../../src/checkpoint/commit.ts";
import type { QuietPeriods } from "../../src/checkpoint/core/completeness.ts";
import type { ResumeRef } from "../../src/checkpoint/documents-io.ts";
import { type Restored, restoreCheckpoint } from "../../src/checkpoint/restore.ts";
import { type CheckpointWatch, createCheckpointWatch } from "../../src/checkpoint/watch.ts";
import type { StoredPart } from "../../src/checkpoint/watch-state.ts";
import { openFolderStore } from "../../src/objects/folder.ts";
import type { ObjectStore } from "../../src/objects/port.ts";
import { createFaultyStore, type FaultyStore } from "./objects-faulty.ts";

export const JOB = jobId("job-1");
export const CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
/** Short, so that tests are quick; long enough that a stalled machine does not skip them. */
export const QUICK: QuietPeriods = { withEvidenceMs: 60, withoutMs: 240 };

export interface WatchOverrides {
  readonly rank?: number;
  readonly attempt?: number;
  readonly patterns?: readonly string[];
  readonly pids?: () => readonly number[];
  readonly quiet?: QuietPeriods;
  readonly cache?: BlobCache;
}

export class World {
  readonly root: string;
  readonly store: FaultyStore;
  readonly cache: BlobCache;
  /** By rank: what was reported, in order. */
  readonly parts: StoredPart[][] = [];
  readonly warnings: string[] = [];
  committed: ResumeRef | null = null;
  readonly #watches: CheckpointWatch[] = [];

  private constructor(root: string, store: FaultyStore) {
    this.root = root;
    this.store = store;
    this.cache = createBlobCache({ dir: join(root, "cache"), maxBytes: 1e9 });
  }

  static async open(inner?: ObjectStore): Promise<World> {
    const root = await mkdtemp(join(tmpdir(), "trainyard-checkpoint-"));
    const options = { create: true, nowMs: Date.now() };
    const store = inner ?? (await openFolderStore(join(root, "store"), options));
    return new World(root, createFaultyStore(store));
  }

  async close(): Promise<void> {
    this.store.isAway = false;
    await Promise.all(this.#watches.map((watch) => watch.stop({ isOver: true })));
    await rm(this.root, { recursive: true, force: true });
  }

  dir(rank = 0): string {
    return join(this.root, `rank-${rank}`, "checkpoints");
  }

  async write(path: string, bytes: Uint8Array, rank = 0): Promise<string> {
    const at = join(this.dir(rank), path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, bytes);
    return at;
  }

  watch(overrides: WatchOverrides = {}): CheckpointWatch {
    const { rank = 0, attempt = 1, patterns = [], pids = () => [] } = overrides;
    const watch = createCheckpointWatch({
      objects: this.store,
      clock: CLOCK,
      log: { info: () => {}, warn: (_fields, message) => void this.warnings.push(message) },
      cache: overrides.cache ?? this.cache,
      quiet: overrides.quiet ?? QUICK,
      pollMs: 100,
    }).start({
      jobId: JOB,
      attempt,
      rank,
      dir: this.dir(rank),
      patterns,
      pidsOf: pids,
      dedupeAgainst: () => this.committed,
      onStored: (part) => void this.partsOf(rank).push(part),
    });
    this.#watches.push(watch);
    return watch;
  }

  partsOf(rank: number): StoredPart[] {
    this.parts[rank] ??= [];
    return this.parts[rank];
  }

  steps(rank = 0): readonly number[] {
    return this.partsOf(rank).map(({ step }) => step);
  }

  /** Waits for a part of this step, and returns the newest. */
  async stored(step: number, rank = 0): Promise<StoredPart> {
    const find = () => this.partsOf(rank).findLast((part) => part.step === step);
    await until(() => find() !== undefined, `a part of step ${step} of rank ${rank}`);
    const part = find();
    if (part === undefined) throw new Error("unreachable");
    return part;
  }

  /** Commits what the ranks have stored for a step. */
  async commit(step: number, attempt = 1): Promise<ResumeRef> {
    const ref = {
      checkpointId: idOf(step, attempt),
      step,
      manifestDigest: await createCommitter({ objects: this.store }).commit({
        jobId: JOB,
        checkpointId: idOf(step, attempt),
        attempt,
        step,
        parts: this.reported(step),
      }),
    };
    this.committed = ref;
    return ref;
  }

  reported(step: number): readonly { rank: number; digest: Digest | null; sizeBytes: number }[] {
    return this.parts.map((parts, rank) => {
      const part = parts.findLast((one) => one.step === step);
      return { rank, digest: part?.digest ?? null, sizeBytes: part?.sizeBytes ?? 0 };
    });
  }

  async restore(ref: ResumeRef, name = "restored", cache: BlobCache | null = null) {
    const destDir = join(this.root, name);
    const request = { jobId: JOB, ...ref, destDir };
    const restored: Restored = await restoreCheckpoint({ objects: this.store, cache }, request);
    return { destDir, ...restored };
  }

  /** Keys in the store below the job. */
  async keys(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { key } of this.store.list(`jobs/${JOB}/`)) found.push(key);
    return found;
  }
}

export function idOf(step: number, attempt = 1): CheckpointId {
  return checkpointId(`${JOB}/${String(step).padStart(12, "0")}-${attempt}`);
}

/** A file as torch.save ends one: an empty zip around `bytes`. */
export function zipOf(bytes: Uint8Array): Buffer {
  const end = Buffer.alloc(22);
  end.set([0x50, 0x4b, 5, 6]);
  end.writeUInt32LE(4 + bytes.length, 16);
  return Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), bytes, end]);
}

/** Files below a folder, by path, with their sizes. */
export async function listing(dir: string): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {};
  for (const path of (await readdir(dir, { recursive: true })).sort()) {
    const stats = await stat(join(dir, path));
    if (stats.isFile()) found[path] = stats.size;
  }
  return found;
}

/** Waits for a condition, for at most 60 s. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
