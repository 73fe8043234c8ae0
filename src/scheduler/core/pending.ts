// The pending jobs in the way a planning pass looks at them: by queue, class and user in groups of jobs
// that are equivalent to it, so that its work grows with the kinds of jobs that wait and not with their
// number. An index of the state: derived from its jobs, changed by `apply` alone, not in snapshots.
// Knows no policy: what a class or a level is worth is decided in order.ts.

import { assert, must } from "../../base/assert.ts";
import { compareJobIds, type JobId, type QueuePath } from "../../base/ids.ts";
import { type ReadonlySortedList, SortedList } from "../../base/sorted-list.ts";
import { type Identity, type Job, type JobSpec, userKey } from "./job.ts";
import {
  copyQueue,
  count,
  createGroup,
  createKind,
  createTally,
  type Group,
  groupKey,
  type PendingGroup,
  type PendingJob,
  type PendingKind,
  type PendingQueue,
  type Queue,
} from "./pending-groups.ts";
import { runsAs } from "./run-times.ts";
import { attainedLevelOf, forecastLevelOf } from "./service-levels.ts";
import { type Shape, shapeKey, shapeOf } from "./shape.ts";
import { Shapes } from "./shapes.ts";

/** With what it is grouped under. */
export interface PendingEntry extends PendingJob {
  /** Null while it is not eligible. */
  readonly kind: PendingKind | null;
}

export interface OwnerCount {
  readonly tenant: number;
  readonly user: number;
}

/** The readers' face. `eligible` = it may be placed, as far as time and other jobs go. */
export interface PendingJobs {
  readonly size: number;
  /** In no promised order. */
  ids(): Iterable<JobId>;
  /** Those that no planning pass sees. In no promised order. */
  withheld(): Iterable<JobId>;
  readonly withheldCount: number;
  get(id: JobId): PendingEntry | undefined;
  queue(path: QueuePath): PendingQueue | undefined;
  /** Jobs that wait, withheld ones too: of the user, and of all users of the tenant. */
  countOf(owner: Identity): OwnerCount;
  /** Queues in which jobs wait, in no promised order. */
  queues(): Iterable<readonly [QueuePath, PendingQueue]>;
  /** Jobs that become eligible at a known instant, the next one first. */
  readonly delayed: ReadonlySortedList<DelayedJob>;
  /** Those who came after that event. */
  newerThan(seq: number): Iterable<PendingJob>;
  /** The object that all groups of the shape share, or a new one when there is none. */
  shapeOf(spec: JobSpec): Shape;
  /** Jobs that have become eligible by `nowMs` since the last event, each as a group of its own. */
  late(nowMs: number, jobs: ReadonlyMap<JobId, Job>): readonly PendingGroup[];
  /**
   * Those of the eligible that wait since before `sinceMs`, the longest waiter first, `countMax` at
   * most: each as a group of its own, as if it had had no service.
   */
  aged(sinceMs: number, countMax: number, jobs: ReadonlyMap<JobId, Job>): readonly PendingGroup[];
  /** All that are not withheld, by when they began to wait. */
  readonly bySince: ReadonlySortedList<PendingJob>;
  /** An index of its own for a copy of the state: of containers, what they hold is shared. */
  copy(): PendingIndex;
  /** An index of these of the jobs alone, in groups made as here; of the eligible by `atMs`. */
  only(jobs: Iterable<Job>, atMs: number): PendingJobs;
}

export interface DelayedJob extends PendingJob {
  readonly eligibleFromMs: number;
}

/** From when on a pending job may be placed; null = it is withheld until something else happens. */
export function eligibleFromMs({ phase, admittedAtMs }: Job): number | null {
  return phase.kind === "pending" && admittedAtMs !== null ? phase.notBeforeMs : null;
}

/** Replaced when its kind changes: copies of the index share it. */
type Entry = PendingEntry & { readonly eligibleFromMs: number | null };

export class PendingIndex implements PendingJobs {
  #entries = new Map<JobId, Entry>();
  #queues = new Map<QueuePath, Queue>();
  /** Queues that a copy of this index has too: whoever changes one takes a copy of it first. */
  #shared: Set<QueuePath> = new Set();
  #delayed = new SortedList<DelayedJob>(compareDelayed);
  #withheld = new Set<JobId>();
  #bySeq = new SortedList<PendingJob>(compareSeq);
  #bySince = new SortedList<PendingJob>(compareSince);
  #shapes = new Shapes();
  /** Queues in which jobs are grouped by what their run times are known as. */
  #byRunTime = new Set<QueuePath>();
  #byTenant = new Map<string, number>();
  #byUser = new Map<string, number>();

  copy(): PendingIndex {
    const copy = new PendingIndex();
    copy.#entries = new Map(this.#entries);
    copy.#queues = new Map(this.#queues);
    this.#shared = new Set(this.#queues.keys());
    copy.#shared = new Set(this.#shared);
    copy.#withheld = new Set(this.#withheld);
    copy.#byRunTime = new Set(this.#byRunTime);
    copy.#byTenant = new Map(this.#byTenant);
    copy.#byUser = new Map(this.#byUser);
    copy.#delayed = this.#delayed.copy();
    copy.#bySeq = this.#bySeq.copy();
    copy.#bySince = this.#bySince.copy();
    copy.#shapes = this.#shapes.copy();
    return copy;
  }

  only(jobs: Iterable<Job>, atMs: number): PendingJobs {
    const few = new PendingIndex();
    few.#byRunTime = new Set(this.#byRunTime);
    for (const job of jobs) few.add(job, atMs, must(this.#entries.get(job.id), job.id).seq);
    return few;
  }

  get size(): number {
    return this.#entries.size;
  }

  get delayed(): ReadonlySortedList<DelayedJob> {
    return this.#delayed;
  }

  get bySince(): ReadonlySortedList<PendingJob> {
    return this.#bySince;
  }

  ids(): Iterable<JobId> {
    return this.#entries.keys();
  }

  withheld(): Iterable<JobId> {
    return this.#withheld;
  }

  get withheldCount(): number {
    return this.#withheld.size;
  }

  get(id: JobId): PendingEntry | undefined {
    return this.#entries.get(id);
  }

  queue(path: QueuePath): PendingQueue | undefined {
    return this.#queues.get(path);
  }

  queues(): Iterable<readonly [QueuePath, PendingQueue]> {
    return this.#queues;
  }

  countOf(owner: Identity): OwnerCount {
    const tenant = this.#byTenant.get(owner.tenant) ?? 0;
    return { tenant, user: this.#byUser.get(userKey(owner)) ?? 0 };
  }

  *newerThan(seq: number): Iterable<PendingJob> {
    for (let at = this.#bySeq.size - 1; at >= 0; at -= 1) {
      const entry = must(this.#bySeq.at(at), "entry");
      if (entry.seq <= seq) return;
      yield entry;
    }
  }

  shapeOf(spec: JobSpec): Shape {
    return this.#shapes.get(shapeKey(spec)) ?? shapeOf(spec);
  }

  late(nowMs: number, jobs: ReadonlyMap<JobId, Job>): readonly PendingGroup[] {
    const late: PendingGroup[] = [];
    for (const entry of this.#delayed) {
      if (entry.eligibleFromMs > nowMs) break;
      const job = must(jobs.get(entry.id), entry.id);
      late.push(this.#groupOf(job, this.#kindOf(job), [entry]));
    }
    return late;
  }

  aged(sinceMs: number, countMax: number, jobs: ReadonlyMap<JobId, Job>): readonly PendingGroup[] {
    const aged: PendingGroup[] = [];
    for (const entry of this.#bySince) {
      if (entry.sinceMs >= sinceMs || aged.length === countMax) break;
      const job = must(jobs.get(entry.id), entry.id);
      const kind = this.#entries.get(entry.id)?.kind ?? null;
      if (kind === null || attainedLevelOf(job.attainedGpuMs) === 0) continue;
      aged.push({ ...this.#groupOf(job, kind, [entry]), attainedLevel: 0 });
    }
    return aged;
  }

  /** The job must be pending, and not be in here. `atMs` and `seq` are those of the event. */
  add(job: Job, atMs: number, seq: number): void {
    const { id, phase, spec, submittedAtMs } = job;
    assert(phase.kind === "pending" && !this.#entries.has(id), `${id} is pending once`);
    const from = eligibleFromMs(job);
    const { sinceMs } = phase;
    const entry = { id, submittedAtMs, sinceMs, seq, eligibleFromMs: from, kind: null };
    this.#entries.set(id, entry);
    this.#bySeq.add(entry);
    this.#countOwner(job.owner, 1);
    const queue = this.#ownQueue(spec.queue);
    count(from === null ? queue.withheld : queue.admitted, spec, 1);
    if (from === null) {
      this.#withheld.add(id);
      return;
    }
    this.#bySince.add(entry);
    if (from <= atMs) this.#group(entry, job);
    else this.#delayed.add({ ...entry, eligibleFromMs: from });
  }

  /** The job as it was added: nothing of what its place follows from may have changed. */
  remove(job: Job): void {
    const entry = must(this.#entries.get(job.id), `${job.id} is pending`);
    this.#entries.delete(job.id);
    this.#bySeq.delete(entry);
    this.#countOwner(job.owner, -1);
    const queue = this.#ownQueue(job.spec.queue);
    const { eligibleFromMs: from } = entry;
    count(from === null ? queue.withheld : queue.admitted, job.spec, -1);
    if (from === null) this.#withheld.delete(job.id);
    else {
      this.#bySince.delete(entry);
      if (entry.kind !== null) this.#ungroup(entry, job);
      else this.#delayed.delete({ ...entry, eligibleFromMs: from });
    }
    if (queue.admitted.size + queue.withheld.size === 0) this.#queues.delete(job.spec.queue);
  }

  /** In a queue of order `shortest` jobs of whom nobody said how long they run are told apart by name. */
  setByRunTime(path: QueuePath, isByRunTime: boolean, jobs: ReadonlyMap<JobId, Job>): void {
    if (isByRunTime === this.#byRunTime.has(path)) return;
    const grouped = [...this.#entries.values()].filter(({ kind }) => kind?.queue === path);
    for (const entry of grouped) this.#ungroup(entry, must(jobs.get(entry.id), entry.id));
    if (isByRunTime) this.#byRunTime.add(path);
    else this.#byRunTime.delete(path);
    for (const entry of grouped) this.#group(entry, must(jobs.get(entry.id), entry.id));
  }

  /** Groups those who became eligible as time passed. */
  settle(atMs: number, jobs: ReadonlyMap<JobId, Job>): void {
    for (;;) {
      const next = this.#delayed.first;
      if (next === undefined || next.eligibleFromMs > atMs) return;
      this.#delayed.delete(next);
      const entry = must(this.#entries.get(next.id), next.id);
      this.#group(entry, must(jobs.get(next.id), next.id));
    }
  }

  #group(entry: Entry, job: Job): void {
    const { owner, spec } = job;
    const { classes } = this.#ownQueue(spec.queue);
    const name = spec.priorityClass;
    const ofClass = getOrSet(classes, name, () => ({ name, lines: new Map(), kinds: new Map() }));
    const ofShape = shapeKey(spec);
    const kind = getOrSet(ofClass.kinds, ofShape, () => {
      return { kind: createKind(spec, this.#shapes.take(ofShape, spec)), size: 0 };
    });
    kind.size += 1;
    const ownerKey = userKey(owner);
    const line = getOrSet(ofClass.lines, ownerKey, () => ({ ownerKey, groups: new Map() }));
    const group = getOrSet(line.groups, groupKey(job, ofShape, this.#runsAs(job)), () => {
      return this.#groupOf(job, kind.kind, []);
    });
    group.jobs.add(entry);
    this.#entries.set(entry.id, { ...entry, kind: kind.kind });
  }

  #ungroup(entry: Entry, job: Job): void {
    const { owner, spec } = job;
    const { classes } = this.#ownQueue(spec.queue);
    const ofClass = must(classes.get(spec.priorityClass), `class of ${job.id}`);
    const ofShape = shapeKey(spec);
    const line = must(ofClass.lines.get(userKey(owner)), `line of ${job.id}`);
    const key = groupKey(job, ofShape, this.#runsAs(job));
    const { jobs } = must(line.groups.get(key), `group of ${job.id}`);
    assert(jobs.delete(entry), `${job.id} is in its group`);
    const kind = must(ofClass.kinds.get(ofShape), `kind of ${job.id}`);
    kind.size -= 1;
    if (jobs.size > 0) return;
    line.groups.delete(key);
    if (line.groups.size === 0) ofClass.lines.delete(line.ownerKey);
    if (kind.size > 0) return;
    ofClass.kinds.delete(ofShape);
    this.#shapes.release(ofShape);
    if (ofClass.kinds.size === 0) classes.delete(ofClass.name);
  }

  #runsAs(job: Job): string {
    const { spec } = job;
    if (!this.#byRunTime.has(spec.queue) || spec.timeLimitMs !== null) return "";
    return forecastLevelOf(job) === null ? runsAs(spec) : "";
  }

  #groupOf(job: Job, kind: PendingKind, entries: readonly PendingJob[]): Group {
    return createGroup(job, kind, entries, this.#runsAs(job));
  }

  #countOwner(owner: Identity, change: 1 | -1): void {
    bump(this.#byTenant, owner.tenant, change);
    bump(this.#byUser, userKey(owner), change);
  }

  #ownQueue(path: QueuePath): Queue {
    const queue = this.#shared.delete(path) ? this.#queues.get(path) : undefined;
    if (queue !== undefined) this.#queues.set(path, copyQueue(queue));
    return getOrSet(this.#queues, path, () => {
      return { admitted: createTally(), withheld: createTally(), classes: new Map() };
    });
  }

  /** That of the groups where there is one, so that one verdict holds for all. */
  #kindOf({ spec }: Job): PendingKind {
    const key = shapeKey(spec);
    const known = this.#queues.get(spec.queue)?.classes.get(spec.priorityClass)?.kinds.get(key);
    return known?.kind ?? createKind(spec, this.shapeOf(spec));
  }
}

function bump(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function compareDelayed(a: DelayedJob, b: DelayedJob): number {
  return a.eligibleFromMs - b.eligibleFromMs || compareJobIds(a.id, b.id);
}

function compareSeq(a: PendingJob, b: PendingJob): number {
  return a.seq - b.seq || compareJobIds(a.id, b.id);
}

function compareSince(a: PendingJob, b: PendingJob): number {
  return a.sinceMs - b.sinceMs || compareJobIds(a.id, b.id);
}

function getOrSet<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
