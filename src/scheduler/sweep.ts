// The sweep of the object store: deletes what no checkpoint and no job names any more. What is deleted
// by name (committer.ts) leaves something behind when a daemon dies in between; jobs are forgotten when
// many have ended; bundles are shared by all who submit the same code, so nobody's end takes them.
//
// When in doubt it keeps: of a job that has not ended it touches nothing, of one that has ended only
// what is older than the grace and in none of its checkpoints. A late upload is young, a key of
// another form is not ours, and a store that another cluster has claimed is left alone.

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
import type { ObjectInfo, ObjectStore } from "../objects/port.ts";
import type { Logger } from "../obs/log.ts";
import type { Bundles } from "./bundles.ts";
import { numberOfJob } from "./core/array.ts";
import { type Checkpoint, isEnded, type Job } from "./core/job.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain } from "./service-ports.ts";

export interface SweepParts {
  readonly brain: Pick<Brain, "state" | "nowMs">;
  readonly objects: Pick<ObjectStore, "name" | "list" | "delete" | "put" | "get">;
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
  readonly sizeBytes: number;
  /** There are more than one sweep takes. */
  readonly isPartial: boolean;
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

  async #find(): Promise<readonly ObjectInfo[]> {
    const { signal } = this.#stopper;
    await this.#claimStore();
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
    const state = this.#parts.brain.state();
    const job = state.jobs.get(id);
    if (job === undefined) return numberOfJob(id) <= state.jobNumberLast ? new Set() : null;
    if (!hasEndedBefore(job, this.#graceBeginMs())) return null;
    const kept: KeptCheckpoint[] = [];
    for (const checkpoint of job.checkpoints) {
      if (checkpoint.state === "rejected") continue;
      const one = await this.#contentOf(checkpoint);
      if (one === null) return null;
      kept.push(one);
    }
    return keysOf(id, kept);
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
  async #deleteAll(orphans: readonly ObjectInfo[]): Promise<void> {
    const { logger, pauseMs = SECOND_MS } = this.#parts;
    const { signal } = this.#stopper;
    const due = inOrderOfDeletion(orphans);
    let [objects, sizeBytes] = [0, 0];
    try {
      for (let at = 0; at < due.length; at += AT_ONCE) {
        if (at > 0) await sleep(pauseMs, undefined, { signal });
        const gone = await this.#deleteSome(due.slice(at, at + AT_ONCE));
        objects += gone.length;
        sizeBytes += bytesOf(gone);
      }
      logger.info({ objects, sizeBytes }, "The object store is swept");
    } catch (error) {
      const fields = { objects, sizeBytes, left: due.length - objects, error };
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

function summed(orphans: readonly ObjectInfo[]): Orphans {
  const isPartial = orphans.length > ORPHANS_MAX;
  return { objects: orphans.length, sizeBytes: bytesOf(orphans), isPartial };
}

function underWay(): Refusal {
  return refuse("TOO_MANY_REQUESTS", "A sweep of the object store is under way.", "Wait for it.");
}
