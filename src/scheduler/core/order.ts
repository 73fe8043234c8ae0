// In what order the jobs of one leaf queue are looked at: priority class, then in `edf` queues the
// deadline, then the user who holds least of the queue, then its `las` or `shortest` order, then age.
// Knows nothing of nodes or other queues.

import { must } from "../../base/assert.ts";
import { popHeap, pushHeap, sinkFirst } from "../../base/heap.ts";
import { quarterOctave, WHOLE_MAX } from "../../base/quarter-octave.ts";
import type { JobId } from "../../base/ids.ts";
import { SECOND_MS } from "../../base/time.ts";
import { type Job, userKey } from "./job.ts";
import {
  comparePending,
  type Deadline,
  deadlineOf,
  type PendingGroup,
  type PendingJob,
  type PendingKind,
  type PendingLine,
  type PendingQueue,
} from "./pending-groups.ts";
import {
  attainedLevelOf,
  beginOfAttainedLevel,
  forecastLevelOf,
  limitLevelOf,
  secondsLeftOf,
} from "./service-levels.ts";
import type { QueueNode } from "./queue-tree.ts";
import { learnedSecondsLeft, learnedSecondsPerEnd, runsAs, type RunTimes } from "./run-times.ts";
import { type Shape, shapeOf } from "./shape.ts";
import type { Policy, QueueOrder } from "./state.ts";

/** A kind of pending jobs in one planning pass. */
export interface WaitingKind {
  readonly kind: PendingKind;
  readonly leaf: QueueNode;
  readonly shape: Shape;
  readonly priority: number;
}

/** A pending job in one planning pass. */
export interface WaitingJob extends Omit<WaitingKind, "kind"> {
  readonly id: JobId;
  readonly job: Job;
  readonly sinceMs: number;
  /** See `turnLevel`. */
  readonly level: number;
  /** Has it waited so long that it no longer spares who would lose much? */
  readonly isImpatient: boolean;
}

/**
 * Of two jobs of a kind, the one with the smaller strength number may take whatever the other may:
 * what is refused to it is refused to the other.
 */
export const strengthOf = (waiting: Pick<WaitingJob, "level" | "isImpatient">): number =>
  2 * waiting.level + (waiting.isImpatient ? 0 : 1);

/** The level of whoever has that strength. */
export const levelOfStrength = (strength: number): number => Math.floor(strength / 2);

/** A class that the policy no longer names counts as the lowest. */
export function priorityOf(priorityClass: string, policy: Policy): number {
  return policy.priorityClasses[priorityClass] ?? Number.MIN_SAFE_INTEGER;
}

/** In a `las` queue jobs of a lower level go first; elsewhere all are on one. */
export function lasLevel(attainedLevel: number, { lasLevelsGpuMs }: Policy): number {
  let level = 0;
  for (const fromGpuMs of lasLevelsGpuMs) {
    if (attainedLevel >= attainedLevelOf(fromGpuMs)) level += 1;
  }
  return level;
}

/** In a `shortest` queue: GPU seconds to come, by `quarterOctave`; what nobody knows comes last. */
export const comingLevel = (secondsLeft: number | null, gpus: number): number =>
  quarterOctave(secondsLeft === null ? WHOLE_MAX : secondsLeft * gpus);

/** Where the group stands among those who take turns; all on one level where nobody does. */
export function turnLevel(order: QueueOrder, group: Service, policy: Policy): number {
  if (order === "las") return lasLevel(group.attainedLevel, policy);
  if (order !== "shortest") return 0;
  return comingLevel(secondsLeftOf(group), group.kind.shape.gpus);
}

/** No level of `turnLevel` is higher. */
export function turnLevelMax(order: QueueOrder, { lasLevelsGpuMs }: Policy): number {
  if (order === "las") return lasLevelsGpuMs.length;
  return order === "shortest" ? comingLevel(null, 1) : 0;
}

/** A median: half of those like it end by then. */
const LEARNED_PERMILLE = 500;

/** What a group's place by service, had or to come, follows from. */
type Service = Pick<PendingGroup, "attainedLevel" | "forecastLevel" | "limitLevel"> & {
  readonly kind: Pick<PendingKind, "shape">;
};

/**
 * What a job's service counts for in the order of its queue. Finer than the levels of `las`: there is
 * an order among those of a level too, but they preempt nobody of it. In `shortest` queues
 * it is the GPU seconds to come: where nobody said, as long as such jobs ran; of whom nobody knows,
 * more than any. What is only learned gives a place and no right: it is not in `turnLevel`.
 */
function serviceRank(jobs: LeafJobs, policy: Policy, group: Named): number {
  const { order, path } = jobs.leaf.spec;
  if (order === "las") return lasRank(jobs, policy, group);
  if (order !== "shortest") return 0;
  const { gpus } = group.kind.shape;
  const like = { ...group, queue: path };
  const seconds =
    secondsLeftOf(group) ??
    learnedSecondsLeft(jobs.runTimes, like, ranSecondsOf(group), LEARNED_PERMILLE);
  return seconds === null ? Number.MAX_SAFE_INTEGER : seconds * gpus;
}

/** Places on each level of a `las` queue. */
const PLACES = 2 ** 44;

/**
 * On the first level of a `las` queue, who had less GPU time goes first. Beyond it, who costs the
 * fewest GPU seconds for each that ends (the Gittins index, upside down), by how long others of the
 * queue ran: where they end at much the same time, who is near it is not put off for ever by those
 * behind. Where nobody knows, it is what was had, as the heaviest tails would have it.
 */
function lasRank({ leaf, runTimes }: LeafJobs, policy: Policy, group: Named): number {
  const { attainedLevel } = group;
  const level = lasLevel(attainedLevel, policy);
  if (level === 0 || !policy.isLasLearned) return attainedLevel;
  const ranSeconds = ranSecondsOf(group);
  const like = { ...group, queue: leaf.spec.path };
  const seconds = learnedSecondsPerEnd(runTimes, like, ranSeconds) ?? ranSeconds;
  return level * PLACES + Math.min(PLACES - 1, seconds * group.kind.shape.gpus);
}

/** For how long it ran on all its GPUs. */
function ranSecondsOf({ attainedLevel, kind }: Service): number {
  const ranGpuSeconds = Math.floor(beginOfAttainedLevel(attainedLevel) / SECOND_MS);
  return Math.floor(ranGpuSeconds / Math.max(1, kind.shape.gpus));
}

/** With whose run times are known of it. */
type Named = Service & Pick<PendingGroup, "ownerKey" | "runsAs">;

/** Behind every deadline that can be met. */
const NO_DEADLINE = Number.MAX_SAFE_INTEGER;

/**
 * What a job's deadline counts for in the order of its queue. One whose latest start has passed
 * counts for nothing, so that to seem urgent costs a time limit that is as short.
 */
const dueRank = (order: QueueOrder, deadline: Deadline | null, nowMs: number): number =>
  order === "edf" && deadline !== null && nowMs <= deadline.latestStartMs
    ? deadline.atMs
    : NO_DEADLINE;

/** A job and the group it is in: with the class and what its user holds, all that its place takes. */
interface Place {
  readonly group: PendingGroup;
  /** See `dueRank`. */
  readonly due: number;
  /** See `serviceRank`. */
  readonly service: number;
  readonly entry: PendingJob;
}

/** The order of a queue's jobs of one class among users who hold as much. */
function comparePlaces(a: Place, b: Place): number {
  return a.due - b.due || a.service - b.service || comparePending(a.entry, b.entry);
}

/** The next job of a group in a walk. */
export interface Head extends Place {
  entry: PendingJob;
  /** How many of the group have been passed. */
  at: number;
  /** Set by the walk: the first that it looked at was refused, so none of the group is tried again. */
  isRefused: boolean;
}

interface User {
  /** GPUs that the user holds or is about to hold in this leaf queue. */
  gpus: number;
}

/** One user's groups of one priority class. */
interface Line {
  readonly user: User;
  /** What it is opened from when its user's turn comes; null = it is open. */
  groups: PendingLine["groups"] | null;
  /** No job of it has a smaller `Place.due`. */
  readonly dueMin: number;
  /** A heap. */
  readonly heads: Head[];
}

/** Who is not worth handing out. */
export interface LeftOut {
  /** All of the kind? */
  readonly isKind: (kind: PendingKind) => boolean;
  /** The group, from its job at that position on? */
  readonly isGroup: (group: PendingGroup, at: number) => boolean;
}

const NOBODY: LeftOut = { isKind: () => false, isGroup: () => false };

/** What a walk finds of one priority. */
interface Class {
  readonly kinds: PendingKind[];
  readonly lines: PendingLine[];
}

/** What is there to walk over in one leaf queue. */
export interface LeafJobs {
  readonly nowMs: number;
  readonly leaf: QueueNode;
  readonly pending: PendingQueue | undefined;
  /** Groups that are in the queue's index only after the next event. */
  readonly late: readonly PendingGroup[];
  /** Jobs that have waited too long, each as a group of its own beside the one that it is in. */
  readonly aged: readonly PendingGroup[];
  /** See `ClusterState.runTimes`. */
  readonly runTimes: ReadonlyMap<string, RunTimes>;
  /** GPUs that a user holds, or is about to hold, in this queue. */
  readonly heldBy: (ownerKey: string) => number;
  /** Does it still wait, or has it been served in this pass? */
  readonly isWaiting: (id: JobId) => boolean;
}

/**
 * Hands out the jobs of a leaf queue one by one, oldest of each group first. Inside a priority
 * class, and deadline, the user who holds the fewest GPUs of the queue goes first; whoever is
 * charged in between moves back. A user's groups are looked at when his turn comes: in a long queue
 * most of them are left out by then, and that is told from less than their place takes.
 */
export class LeafOrder {
  readonly leaf: QueueNode;
  readonly #jobs: LeafJobs;
  readonly #policy: Policy;
  readonly #leftOut: LeftOut;
  readonly #users = new Map<string, User>();
  /** Ascending priority: the last one is served first. */
  readonly #classes: Class[];
  /** Where only one user waits, it does not matter what he holds. */
  readonly #isShared: boolean;
  /** Of the class that is served now. */
  #kinds: readonly PendingKind[] = [];
  /** A heap. */
  #lines: Line[] = [];
  #current: Line | null = null;
  #peeked: Head | null = null;

  /** `leftOut` is asked when a group's place comes up, and may be asked before. */
  constructor(jobs: LeafJobs, policy: Policy, leftOut = NOBODY) {
    this.#leftOut = leftOut;
    this.leaf = jobs.leaf;
    this.#jobs = jobs;
    this.#policy = policy;
    this.#classes = classify(jobs, policy);
    this.#isShared = this.#classes.some(({ lines }) => lines.length > 1);
  }

  /** What `next` will hand out. Look only after the last job was charged. */
  peek(): Head | null {
    this.#peeked ??= this.#advance();
    return this.#peeked;
  }

  /** The next job, or null when all have been handed out. */
  next(): Head | null {
    const head = this.peek();
    this.#peeked = null;
    return head;
  }

  /** The job that was handed out last holds, or will hold, its GPUs. */
  charge(gpus: number): void {
    must(this.#current, "a job was handed out").user.gpus += gpus;
  }

  /** The rest of the group of the job that was handed out last is not handed out. */
  leaveOut(): void {
    const line = must(this.#current, "a job was handed out");
    popHeap(line.heads, comparePlaces);
    this.#current = null;
    this.#pushLine(line);
  }

  #advance(): Head | null {
    for (;;) {
      this.#putBack();
      while (this.#lines.length === 0) {
        const next = this.#classes.pop();
        if (next === undefined) return null;
        if (next.kinds.every(this.#leftOut.isKind)) continue;
        this.#kinds = next.kinds;
        for (const line of next.lines) pushHeap(this.#lines, this.#lineOf(line), compareLines);
      }
      const line = popHeap(this.#lines, compareLines);
      if (line.groups !== null) {
        if (this.#kinds.every(this.#leftOut.isKind)) this.#lines = [];
        else {
          this.#open(line, line.groups);
          this.#pushLine(line);
        }
        continue;
      }
      this.#current = line;
      const head = headOf(line);
      if (this.#leftOut.isGroup(head.group, head.at)) this.leaveOut();
      // Who has aged is handed out before those of its group, and may have been placed since.
      else if (this.#jobs.isWaiting(head.entry.id)) return head;
    }
  }

  #putBack(): void {
    const line = this.#current;
    this.#current = null;
    if (line === null) return;
    const head = headOf(line);
    head.at += 1;
    if (this.#skipServed(head)) sinkFirst(line.heads, comparePlaces);
    else popHeap(line.heads, comparePlaces);
    this.#pushLine(line);
  }

  #pushLine(line: Line): void {
    if (line.heads.length > 0) pushHeap(this.#lines, line, compareLines);
  }

  #lineOf({ ownerKey, groups }: PendingLine): Line {
    let user = this.#users.get(ownerKey);
    if (user === undefined) {
      user = { gpus: this.#isShared ? this.#jobs.heldBy(ownerKey) : 0 };
      this.#users.set(ownerKey, user);
    }
    const dueMin = this.leaf.spec.order === "edf" ? Number.MIN_SAFE_INTEGER : NO_DEADLINE;
    return { user, groups, dueMin, heads: [] };
  }

  #open(line: Line, groups: PendingLine["groups"]): void {
    const { order } = this.leaf.spec;
    line.groups = null;
    for (const group of groups.values()) {
      if (this.#leftOut.isGroup(group, 0)) continue;
      const entry = must(group.jobs.first, "a group has jobs");
      const due = dueRank(order, group.deadline, this.#jobs.nowMs);
      const service = serviceRank(this.#jobs, this.#policy, group);
      const head = { group, due, service, entry, at: 0, isRefused: false };
      if (this.#jobs.isWaiting(entry.id) || this.#skipServed(head)) {
        pushHeap(line.heads, head, comparePlaces);
      }
    }
  }

  /** Moves on to the next that still waits; false when there is none. */
  #skipServed(head: Head): boolean {
    for (;;) {
      const entry = head.group.jobs.at(head.at);
      if (entry === undefined) return false;
      head.entry = entry;
      if (this.#jobs.isWaiting(entry.id)) return true;
      head.at += 1;
    }
  }
}

/** The first jobs of the queue, as many as `countMax`, as long as nothing is placed. */
export function firstOf(jobs: LeafJobs, policy: Policy, countMax: number): readonly JobId[] {
  const order = new LeafOrder(jobs, policy);
  const first: JobId[] = [];
  for (let head = order.next(); head !== null && first.length < countMax; head = order.next()) {
    first.push(head.entry.id);
  }
  return first;
}

/**
 * How many jobs of its queue come before `job`, of those in groups and late: counted group by group,
 * as `LeafOrder` would hand them out while nothing is placed.
 */
export function countAhead(jobs: LeafJobs, policy: Policy, job: Job): number {
  const own = rankOfJob(jobs, policy, job);
  let ahead = 0;
  for (const group of [...groupsOf(jobs.pending), ...jobs.late]) {
    const rank = rankOf(jobs, policy, group);
    const order = compareRanks(rank, own);
    if (order < 0) ahead += group.jobs.size;
    else if (order === 0) ahead += group.jobs.rank(job);
  }
  return ahead;
}

/** Would `a` be handed out before `b`, another job of the queue, if nothing is placed before? */
export function comesBefore(jobs: LeafJobs, policy: Policy, a: Job, b: Job): boolean {
  const order = compareRanks(rankOfJob(jobs, policy, a), rankOfJob(jobs, policy, b));
  return (order || comparePending(a, b)) < 0;
}

/** What comes before age in the order. */
interface Rank {
  readonly priority: number;
  readonly due: number;
  readonly heldGpus: number;
  readonly service: number;
}

function rankOfJob(jobs: LeafJobs, policy: Policy, job: Job): Rank {
  const { spec, owner } = job;
  return rankOf(jobs, policy, {
    kind: { priorityClass: spec.priorityClass, shape: shapeOf(spec) },
    ownerKey: userKey(owner),
    attainedLevel: attainedLevelOf(job.attainedGpuMs),
    limitLevel: limitLevelOf(spec),
    forecastLevel: forecastLevelOf(job),
    runsAs: runsAs(spec),
    deadline: deadlineOf(spec),
  });
}

function rankOf(
  jobs: LeafJobs,
  policy: Policy,
  of: Named &
    Pick<PendingGroup, "deadline"> & {
      readonly kind: Pick<PendingKind, "priorityClass">;
    },
): Rank {
  const priority = priorityOf(of.kind.priorityClass, policy);
  const heldGpus = jobs.heldBy(of.ownerKey);
  const due = dueRank(jobs.leaf.spec.order, of.deadline, jobs.nowMs);
  return { priority, due, heldGpus, service: serviceRank(jobs, policy, of) };
}

const compareRanks = (a: Rank, b: Rank): number =>
  b.priority - a.priority || a.due - b.due || a.heldGpus - b.heldGpus || a.service - b.service;

export function* groupsOf(pending: PendingQueue | undefined): Iterable<PendingGroup> {
  for (const { lines } of pending?.classes.values() ?? []) {
    for (const { groups } of lines.values()) yield* groups.values();
  }
}

function classify({ pending, late, aged }: LeafJobs, policy: Policy): Class[] {
  const byPriority = new Map<number, Class>();
  const classOf = (name: string): Class => {
    const priority = priorityOf(name, policy);
    let ofPriority = byPriority.get(priority);
    if (ofPriority === undefined) byPriority.set(priority, (ofPriority = { kinds: [], lines: [] }));
    return ofPriority;
  };
  for (const { name, kinds, lines } of pending?.classes.values() ?? []) {
    const into = classOf(name);
    for (const { kind } of kinds.values()) into.kinds.push(kind);
    for (const line of lines.values()) into.lines.push(line);
  }
  for (const group of [...late, ...aged]) {
    const into = classOf(group.kind.priorityClass);
    into.kinds.push(group.kind);
    into.lines.push({ ownerKey: group.ownerKey, groups: new Map([["", group]]) });
  }
  return [...byPriority].sort(([a], [b]) => a - b).map(([, ofPriority]) => ofPriority);
}

/**
 * Of two users who hold as much, the one whose next job comes first goes first: known once both
 * lines are open.
 */
function compareLines(a: Line, b: Line): number {
  const ofA = a.heads[0];
  const ofB = b.heads[0];
  const byUse = dueOf(a) - dueOf(b) || a.user.gpus - b.user.gpus;
  if (byUse !== 0 || (ofA === undefined && ofB === undefined)) return byUse;
  if (ofA === undefined) return -1;
  return ofB === undefined ? 1 : comparePlaces(ofA, ofB);
}

const dueOf = ({ heads, dueMin }: Line): number => heads[0]?.due ?? dueMin;

const headOf = ({ heads }: Line): Head => must(heads[0], "a line in the heap has jobs");
