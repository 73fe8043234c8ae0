// The sweep of the object store: deletes what no checkpoint and no job names any more. What is deleted
// by name (committer.ts) leaves something behind when a daemon dies in between; jobs are forgotten when
// many have ended; bundles are shared by all who submit the same code, so nobody's end takes them.
//
// When in doubt it keeps: of a job that has not ended it touches nothing, of one that has ended only
// what is older than the grace and in none of its checkpoints. A late upload is young, a key of
// another form is not ours, and a store that another cluster has claimed is left alone. Uploads in parts
// that broke off and that nobody went on with take room that no list of objects shows: those of jobs that
// ended, and of bundles, are dropped when they are as old.

import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Refusal, RefusalError, refuse } from "../base/errors.ts";
import type { Digest, JobId } from "../base/ids.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../base/time.ts";
import {
  inOrderOfDeletion,
  type KeptCheckpoint,
  keysOf,
  type ObjectRole,
  roleOf,
} from "../checkpoint/core/orphans.ts";
import type { ObjectInfo, ObjectStore, UnfinishedUpload } from "../objects/port.ts";
import type { Logger } from "../obs/log.ts";
import type { Bundles } from "./bundles.ts";
import { numberOfJob } from "./core/array.ts";
import { type Checkpoint, isEnded, type Job } from "./core/job.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain } from "./service-ports.ts";

export interface SweepParts {
  readonly brain: Pick<Brain, "state" | "nowMs">;
  readonly objects: Pick<
    ObjectStore,
    "name" | "list" | "delete" | "put" | "get" | "unfinished" | "dropUnfinished"
  >;
  /** The blobs that these part documents name. Throws a `Fault`, as the object store does. */
  readonly blobsOf: (
    job: JobId,
    parts: readonly Digest[],
    options: { readonly signal: AbortSignal },
  ) => Promise<readonly Digest[]>;
  readonly bundles: Pick<Bundles, "drop">;
  /** Drawn once for the scheduler's data folder. */
  readonly clusterId: string;
  readonly timers: TimerPort;
  readonly logger: Logger;
  /** Told after each batch of deletions. */
  readonly onDeleted: (objects: number, sizeBytes: number) => void;
  /** Younger objects stay; default 24 h. */
  readonly graceMs?: number;
  /** Between two batches; default 1 s. */
  readonly pauseMs?: number;
}

export interface Orphans {
  readonly objects: number;
  /** Uploads in parts that nobody goes on with; how much they hold is not known. */
  readonly uploads: number;
  readonly sizeBytes: number;
  /** There are more than one sweep takes. */
  readonly isPartial: boolean;
}

interface Found {
  readonly objects: readonly ObjectInfo[];
  readonly uploads: readonly UnfinishedUpload[];
}

const FIRST_AFTER_MS = 10 * MINUTE_MS;
const AT_ONCE = 64;
/** The rest is found by the next sweep. */
const ORPHANS_MAX = 200_000;
/** Says whose objects these are. */
const OWNER_KEY = "cluster.json";

export class Sweep {
  readonly #parts: SweepParts;
  readonly #stopper = new AbortController();
  #cancelNext: () => void = () => undefined;
  #running: Promise<unknown> | null = null;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** Soon after the start, and then every day. */
  start(): void {
    this.#after(FIRST_AFTER_MS);
  }

  async stop(): Promise<void> {
    this.#stopper.abort(new Error("the scheduler stops"));
    this.#cancelNext();
    await this.#running?.catch(() => undefined);
  }

  /**
   * Looks for orphans, and answers what there is. Unless it is a dry run, they are deleted after
   * that: `finished` resolves when they are, or when that was given up. Throws `STORE_UNAVAILABLE`; refuses with
   * `TOO_MANY_REQUESTS` while a sweep is under way and `STORE_NOT_OWN` in another's store.
   */
  async run(options: {
    readonly isDryRun: boolean;
  }): Promise<{ readonly found: Orphans; readonly finished: Promise<void> } | Refusal> {
    if (this.#running !== null) return underWay();
    const finding = this.#find();
    this.#running = finding;
    try {
      const orphans = await finding;
      const finished = options.isDryRun ? Promise.resolve() : this.#deleteAll(orphans);
      this.#running = finished.finally(() => {
        this.#running = null;
      });
      return { found: summed(orphans), finished };
    } catch (error) {
      this.#running = null;
      if (error instanceof RefusalError) return error.refusal;
      throw error;
    }
  }

  #after(delayMs: number): void {
    this.#cancelNext = this.#parts.timers.after(delayMs, () => {
      this.#daily()
        .catch((error: unknown) => {
          if (!this.#stopper.signal.aborted) {
            this.#parts.logger.warn({ error }, "The object store was not swept; tomorrow again");
          }
        })
        .finally(() => this.#after(DAY_MS));
    });
  }

  async #daily(): Promise<void> {
    const result = await this.run({ isDryRun: false });
    if ("kind" in result) throw new RefusalError(result);
    await result.finished;
  }

  async #find(): Promise<Found> {
    await this.#claimStore();
    return { objects: await this.#findObjects(), uploads: await this.#findUploads() };
  }

  async #findObjects(): Promise<readonly ObjectInfo[]> {
    const { signal } = this.#stopper;
    const orphans: ObjectInfo[] = [];
    for await (const { jobId, objects } of this.#jobsInStore()) {
      const kept = await this.#keptOf(jobId);
      if (kept !== null) orphans.push(...objects.filter(({ key }) => !kept.has(key)));
      if (orphans.length > ORPHANS_MAX) return orphans;
    }
    const named = bundlesNamed(this.#parts.brain);
    for await (const object of this.#parts.objects.list("bundles/", { signal })) {
      const role = this.#oldRole(object);
      if (role?.kind === "bundle" && !named.has(role.digest)) orphans.push(object);
      if (orphans.length > ORPHANS_MAX) return orphans;
    }
    return orphans;
  }

  /** None where the store does not tell: a right of its own, and some servers have no such list. */
  async #findUploads(): Promise<readonly UnfinishedUpload[]> {
    const { objects, logger } = this.#parts;
    const found: UnfinishedUpload[] = [];
    try {
      for (const prefix of ["jobs/", "bundles/"]) {
        for await (const upload of objects.unfinished(prefix, { signal: this.#stopper.signal })) {
          if (this.#isAbandoned(upload)) found.push(upload);
          if (found.length > ORPHANS_MAX) return found;
        }
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      logger.warn({ error }, "Unfinished uploads were not looked for");
    }
    return found;
  }

  #isAbandoned({ key, begunAtMs }: UnfinishedUpload): boolean {
    const role = roleOf(key);
    if (role === null || begunAtMs >= this.#graceBeginMs()) return false;
    return role.kind === "bundle" || this.#isLongOver(role.jobId);
  }

  /** Two clusters whose jobs have the same names at one place: each would sweep up the other's. */
  async #claimStore(): Promise<void> {
    const { objects, clusterId } = this.#parts;
    const { signal } = this.#stopper;
    const own = Buffer.from(`${JSON.stringify({ clusterId })}\n`);
    if ((await objects.put(OWNER_KEY, own, { ifAbsent: true, signal })) === "stored") return;
    const there = await objects.get(OWNER_KEY, { signal });
    if (there?.equals(own) === true) return;
    throw new RefusalError(
      refuse(
        "STORE_NOT_OWN",
        `${objects.name}: ${OWNER_KEY} there is another cluster's.`,
        "Give each cluster a prefix of its own; if the other is gone for good, delete that object.",
      ),
    );
  }

  /** The old objects of each job. A list is in the order of keys: those of a job are together. */
  async *#jobsInStore(): AsyncGenerator<{ jobId: JobId; objects: readonly ObjectInfo[] }> {
    let jobId: JobId | null = null;
    let objects: ObjectInfo[] = [];
    for await (const object of this.#parts.objects.list("jobs/", {
      signal: this.#stopper.signal,
    })) {
      const role = this.#oldRole(object);
      if (role === null || role.kind === "bundle") continue;
      if (jobId !== null && role.jobId !== jobId) {
        yield { jobId, objects };
        objects = [];
      }
      jobId = role.jobId;
      objects.push(object);
    }
    if (jobId !== null) yield { jobId, objects };
  }

  #oldRole({ key, modifiedAtMs }: ObjectInfo): ObjectRole | null {
    return modifiedAtMs < this.#graceBeginMs() ? roleOf(key) : null;
  }

  #graceBeginMs(): number {
    return this.#parts.brain.nowMs() - (this.#parts.graceMs ?? DAY_MS);
  }

  /** Keys of the job's objects that stay; null = all of them do. */
  async #keptOf(id: JobId): Promise<ReadonlySet<string> | null> {
    if (!this.#isLongOver(id)) return null;
    const job = this.#parts.brain.state().jobs.get(id);
    const kept: KeptCheckpoint[] = [];
    for (const checkpoint of job?.checkpoints ?? []) {
      if (checkpoint.state === "rejected") continue;
      const one = await this.#contentOf(checkpoint);
      if (one === null) return null;
      kept.push(one);
    }
    return keysOf(id, kept);
  }

  /** Has it ended before the grace began, or is it forgotten? Not so one that is yet to come. */
  #isLongOver(id: JobId): boolean {
    const { jobs, jobNumberLast } = this.#parts.brain.state();
    const job = jobs.get(id);
    if (job === undefined) return numberOfJob(id) <= jobNumberLast;
    return hasEndedBefore(job, this.#graceBeginMs());
  }

  /** Null when that can't be told: part documents that are missing or not what they were. */
  async #contentOf({ id, jobId, parts: all }: Checkpoint): Promise<KeptCheckpoint | null> {
    const parts = all.flatMap(({ digest }) => (digest === null ? [] : [digest]));
    try {
      const options = { signal: this.#stopper.signal };
      return { id, parts, blobs: await this.#parts.blobsOf(jobId, parts, options) };
    } catch (error) {
      if (!(error instanceof Fault) || error.isRetryable) throw error;
      const fields = { checkpointId: id, error };
      this.#parts.logger.warn(fields, "A checkpoint is unreadable: nothing of its job is swept");
      return null;
    }
  }

  /** Never rejects: what is left is found again. */
  async #deleteAll(found: Found): Promise<void> {
    const { logger, pauseMs = SECOND_MS, objects: store } = this.#parts;
    const { signal } = this.#stopper;
    const due = inOrderOfDeletion(found.objects);
    let [objects, sizeBytes, uploads] = [0, 0, 0];
    try {
      for (let at = 0; at < due.length; at += AT_ONCE) {
        if (at > 0) await sleep(pauseMs, undefined, { signal });
        const gone = await this.#deleteSome(due.slice(at, at + AT_ONCE));
        objects += gone.length;
        sizeBytes += bytesOf(gone);
      }
      for (; uploads < found.uploads.length; uploads += AT_ONCE) {
        if (uploads + due.length > 0) await sleep(pauseMs, undefined, { signal });
        const some = found.uploads.slice(uploads, uploads + AT_ONCE);
        await store.dropUnfinished(some, { signal });
      }
      uploads = found.uploads.length;
      logger.info({ objects, sizeBytes, uploads }, "The object store is swept");
    } catch (error) {
      const fields = { objects, sizeBytes, uploads, left: due.length - objects, error };
      logger.warn(fields, "The sweep of the object store was broken off; the next one goes on");
    }
  }

  /** Returns those that went. */
  async #deleteSome(some: readonly ObjectInfo[]): Promise<readonly ObjectInfo[]> {
    const { objects, bundles, brain, onDeleted } = this.#parts;
    const { signal } = this.#stopper;
    const gone: ObjectInfo[] = [];
    const named = bundlesNamed(brain);
    for (const object of some) {
      const role = roleOf(object.key);
      if (role?.kind !== "bundle") gone.push(object);
      else if (!named.has(role.digest) && (await bundles.drop(role.digest, signal)))
        gone.push(object);
    }
    const keys = gone.map(({ key }) => key).filter((key) => roleOf(key)?.kind !== "bundle");
    await objects.delete(keys, { signal });
    onDeleted(gone.length, bytesOf(gone));
    return gone;
  }
}

function hasEndedBefore({ phase }: Job, atMs: number): boolean {
  return isEnded(phase) && "endedAtMs" in phase && phase.endedAtMs < atMs;
}

/** Of all jobs that the state has, ended ones too. */
function bundlesNamed(brain: SweepParts["brain"]): ReadonlySet<Digest> {
  const { jobs, arrays } = brain.state();
  const named = new Set<Digest>();
  for (const { spec } of [...jobs.values(), ...arrays.values()]) {
    if (spec.bundle !== null) named.add(spec.bundle.digest);
  }
  return named;
}

const bytesOf = (objects: readonly ObjectInfo[]): number =>
  objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function summed({ objects, uploads }: Found): Orphans {
  const isPartial = Math.max(objects.length, uploads.length) > ORPHANS_MAX;
  const sizeBytes = bytesOf(objects);
  return { objects: objects.length, sizeBytes, uploads: uploads.length, isPartial };
}

function underWay(): Refusal {
  return refuse("TOO_MANY_REQUESTS", "A sweep of the object store is under way.", "Wait for it.");
}
