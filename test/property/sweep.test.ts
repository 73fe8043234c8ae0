// What the sweep of the object store may never do, and what it owes: random stores, with what crashes
// and forgotten jobs left in them, and a store that goes away after any deletion.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkpointId, type Digest, digest, jobId } from "../../src/base/ids.ts";
import { DAY_MS, HOUR_MS } from "../../src/base/time.ts";
import { encodePart } from "../../src/checkpoint/core/documents.ts";
import { blobKey, bundleKey, manifestKey, partKey } from "../../src/checkpoint/core/keys.ts";
import { loadBlobsOf } from "../../src/checkpoint/documents-io.ts";
import { createLogger } from "../../src/obs/log.ts";
import { Bundles } from "../../src/scheduler/bundles.ts";
import { createState } from "../../src/scheduler/core/apply.ts";
import { World } from "../../src/scheduler/core/fixture.ts";
import type { Checkpoint, Job } from "../../src/scheduler/core/job.ts";
import { Sweep } from "../../src/scheduler/sweep.ts";
import type { UnfinishedUpload } from "../../src/objects/port.ts";
import { MemoryStore } from "./memory-store.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 400);
const NOW_MS = 100 * DAY_MS;
const logger = createLogger({ level: "silent", name: "test", style: "json" });

interface Saved {
  /** `deleted`: the state has let it go, and a crash kept its objects. */
  readonly state: "committed" | "gathering" | "rejected" | "deleted";
  readonly blobs: readonly number[];
  readonly isOld: boolean;
}

interface Told {
  readonly is: "running" | "just ended" | "ended" | "forgotten" | "of another cluster";
  readonly saved: readonly Saved[];
  /** Blobs of uploads that never became a part. */
  readonly strays: readonly number[];
  readonly bundle: number;
  /** Uploads in parts that nobody has finished, by how long ago they began. */
  readonly uploads: readonly boolean[];
}

const saved: fc.Arbitrary<Saved> = fc.record({
  state: fc.constantFrom("committed", "committed", "gathering", "rejected", "deleted"),
  blobs: fc.uniqueArray(fc.nat(5), { maxLength: 3 }),
  isOld: fc.constantFrom(true, true, false),
});

const told: fc.Arbitrary<Told> = fc.record({
  is: fc.constantFrom("running", "just ended", "ended", "ended", "forgotten", "of another cluster"),
  saved: fc.array(saved, { maxLength: 4 }),
  strays: fc.uniqueArray(fc.nat(5), { maxLength: 2 }),
  bundle: fc.nat(4),
  uploads: fc.array(fc.boolean(), { maxLength: 2 }),
});

const hash = (text: string): Digest => digest(createHash("sha256").update(text).digest("hex"));

const template: Job = (() => {
  const world = new World().nodes(1, 1);
  return world.job(world.submit({}));
})();

/** The store of a cluster with these jobs, its state, and what has to be where afterwards. */
class SweptWorld {
  readonly store = new MemoryStore();
  readonly state = createState();
  /** Must never go. */
  readonly needed = new Set<string>();
  /** Must be gone in the end. */
  readonly orphaned = new Set<string>();
  readonly neededUploads = new Set<UnfinishedUpload>();

  constructor(jobs: readonly Told[]) {
    const bundles = new Set<number>();
    for (const [at, job] of jobs.entries()) this.#add(at + 1, job, bundles);
    this.state.jobNumberLast = jobs.length;
    for (let n = 0; n <= 4; n += 1) {
      const key = bundleKey(hash(`bundle ${n}`));
      this.#put(key, "code", true);
      (bundles.has(n) ? this.needed : this.orphaned).add(key);
    }
    this.#begin("bundles/of-an-operator", true, true);
    this.#begin(bundleKey(hash("bundle 0")), false, true);
    for (const key of ["notes/of/an/operator", "jobs/job-1/other", "bundles/old.zip"]) {
      this.#put(key, "?", true);
      this.needed.add(key);
    }
    // What any checkpoint names stays, whatever else names it too.
    for (const key of this.needed) this.orphaned.delete(key);
  }

  #begin(key: string, stays: boolean, isOld: boolean): void {
    const uploadId = `upload-${this.store.uploads.size}`;
    const upload = { key, uploadId, begunAtMs: NOW_MS - (isOld ? 2 * DAY_MS : HOUR_MS) };
    this.store.uploads.add(upload);
    if (stays || !isOld) this.neededUploads.add(upload);
  }

  #add(at: number, { is, saved: all, strays, bundle, uploads }: Told, bundles: Set<number>): void {
    // Numbers that this cluster has not given yet are above all others.
    const id = jobId(`job-${is === "of another cluster" ? at + 1_000 : at}`);
    const checkpoints: Checkpoint[] = [];
    for (const [step, one] of all.entries()) {
      const keys = this.#save(`${id}`, step, one, checkpoints);
      const stays = is !== "forgotten" && (is !== "ended" || !isLetGo(one));
      for (const key of keys) this.#expect(key, stays, one.isOld);
    }
    for (const [n, isOld] of uploads.entries()) {
      this.#begin(blobKey(id, hash(`upload ${n}`)), is !== "ended" && is !== "forgotten", isOld);
    }
    for (const n of strays) {
      const key = blobKey(id, hash(`blob ${n}`));
      const wasThere = this.store.objects.has(key);
      if (!wasThere) this.#put(key, `bytes ${n}`, true);
      if (!wasThere) this.#expect(key, is !== "ended" && is !== "forgotten", true);
    }
    if (is === "forgotten" || is === "of another cluster") return;
    bundles.add(bundle);
    const endedAtMs = is === "just ended" ? NOW_MS - HOUR_MS : NOW_MS - 2 * DAY_MS;
    const phase = is === "running" ? template.phase : ({ kind: "succeeded", endedAtMs } as const);
    const code = { digest: hash(`bundle ${bundle}`), commit: "", isDirty: false, sizeBytes: 4 };
    const spec = { ...template.spec, bundle: code };
    this.state.jobs.set(id, { ...template, id, phase, spec, checkpoints });
  }

  #save(job: string, step: number, { state, blobs, isOld }: Saved, into: Checkpoint[]): string[] {
    const id = jobId(job);
    const files = blobs.map((n) => {
      return { path: `f${n}`, sizeBytes: 7, digest: hash(`blob ${n}`), mode: 0o644 };
    });
    const document = encodePart({
      jobId: id,
      attempt: 1,
      rank: 0,
      step,
      layout: "files",
      files,
      requires: [],
    });
    const part = { rank: 0, digest: hash(document), sizeBytes: 7, uploadedBytes: 7 };
    const name = checkpointId(`${id}/${String(step).padStart(12, "0")}-1`);
    const keys = [partKey(id, part.digest), ...files.map((file) => blobKey(id, file.digest))];
    if (state === "committed" || state === "deleted") keys.push(manifestKey(name));
    for (const key of keys) this.#put(key, key.includes("/parts/") ? document : "bytes", isOld);
    if (state === "deleted") return keys;
    const committed = state === "committed";
    into.push({
      id: name,
      jobId: id,
      attempt: 1,
      step,
      state,
      parts: [part],
      takenAtMs: 0,
      committedAtMs: committed ? 0 : null,
      manifestDigest: committed ? hash("manifest") : null,
    });
    return keys;
  }

  #expect(key: string, stays: boolean, isOld: boolean): void {
    if (stays || !isOld) this.needed.add(key);
    else this.orphaned.add(key);
  }

  /** An object that is put twice is as young as the younger one. */
  #put(key: string, text: string, isOld: boolean): void {
    const ageMs = isOld ? 2 * DAY_MS : HOUR_MS;
    this.store.nowMs = Math.max(NOW_MS - ageMs, this.store.objects.get(key)?.modifiedAtMs ?? 0);
    void this.store.put(key, Buffer.from(text));
  }

  async sweep(isDryRun = false): Promise<number> {
    const bundles = new Bundles({
      store: this.store,
      folder: "/nowhere",
      newId: () => "id",
      monotonicMs: () => 0,
    });
    const sweep = new Sweep({
      brain: { state: () => this.state, nowMs: () => NOW_MS },
      objects: this.store,
      blobsOf: (job, parts, options) => loadBlobsOf(this.store, job, parts, options),
      bundles,
      clusterId: "ours",
      logger,
      pauseMs: 0,
      onDeleted: () => undefined,
      timers: { after: () => () => undefined },
    });
    const result = await sweep.run({ isDryRun });
    if ("kind" in result) throw new Error(result.message);
    await result.finished;
    return result.found.objects + result.found.uploads;
  }

  missing(): readonly string[] {
    const uploads = [...this.neededUploads].filter((upload) => !this.store.uploads.has(upload));
    const objects = [...this.needed].filter((key) => !this.store.objects.has(key));
    return [...objects, ...uploads.map(({ key }) => key)];
  }

  left(): readonly string[] {
    const uploads = [...this.store.uploads].filter((upload) => !this.neededUploads.has(upload));
    const objects = [...this.orphaned].filter((key) => this.store.objects.has(key));
    return [...objects, ...uploads.map(({ key }) => key)];
  }
}

const isLetGo = ({ state }: Saved): boolean => state === "deleted" || state === "rejected";

test("whatever a crash left, a sweep takes all of that and nothing else, wherever it is broken off", async () => {
  let swept = 0;
  const jobs = fc.array(told, { minLength: 1, maxLength: 8, size: "max" });
  const crashes = fc.array(fc.nat(6), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(jobs, crashes, async (all, breaks) => {
      const world = new SweptWorld(all);
      expect(world.missing()).toEqual([]);
      for (const deletions of breaks) {
        world.store.deletionsLeft = deletions;
        await world.sweep();
        expect(world.missing()).toEqual([]);
      }
      world.store.deletionsLeft = Infinity;
      const before = world.store.objects.size;
      const found = await world.sweep(true);
      expect(world.store.objects.size).toBeGreaterThanOrEqual(before);
      expect(found).toBe(world.left().length);
      swept += await world.sweep();
      expect(world.missing()).toEqual([]);
      expect(world.left()).toEqual([]);
      expect(await world.sweep()).toBe(0);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  console.log(`seed ${SEED}, ${RUNS} stores, ${swept} orphans swept`);
  expect(swept).toBeGreaterThan(0);
});
