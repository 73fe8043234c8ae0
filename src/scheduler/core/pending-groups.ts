// Who waits, in groups of jobs that a planning pass need not tell apart: by queue, class, user and what
// else their place in the order follows from. The index of them is pending.ts.

import { compareJobIds, type JobId, type QueuePath } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import { type ReadonlySortedList, SortedList } from "../../base/sorted-list.ts";
import { type Job, type JobSpec, userKey } from "./job.ts";
import { type Shape } from "./shape.ts";
import {
  attainedLevelOf,
  forecastLevelOf,
  limitLevelOf,
  type RunLevels,
} from "./service-levels.ts";

/** What decides which of two jobs of a group is the older. */
export type PendingAge = Pick<Job, "id" | "submittedAtMs">;

/** What is needed of a pending job to find its place. It does not change while the job waits. */
export interface PendingJob {
  readonly id: JobId;
  readonly submittedAtMs: number;
  /** When it began to wait this time. */
  readonly sinceMs: number;
  /** The event that put it here, or that the snapshot stands at: later ones found it here. */
  readonly seq: number;
}

/** Jobs of one queue, class and shape: they fit alike, and have the same rights over others. */
export interface PendingKind {
  readonly queue: QueuePath;
  readonly priorityClass: string;
  readonly shape: Shape;
}

export interface Deadline {
  readonly atMs: number;
  /** Who starts later may run past it, if it runs for all of its time limit. */
  readonly latestStartMs: number;
}

/** One user's jobs of one kind and deadline that have attained and will run about as much. */
export interface PendingGroup extends RunLevels {
  readonly kind: PendingKind;
  readonly ownerKey: string;
  readonly attainedLevel: number;
  /** Name as which its jobs run times are known; empty where that does not count. */
  readonly runsAs: string;
  /** Null = none. */
  readonly deadline: Deadline | null;
  /** Oldest first, as `comparePending`. */
  readonly jobs: ReadonlySortedList<PendingJob, PendingAge>;
}

export interface PendingLine {
  readonly ownerKey: string;
  readonly groups: ReadonlyMap<string, PendingGroup>;
}

export interface PendingClass {
  readonly name: string;
  /** By user. */
  readonly lines: ReadonlyMap<string, PendingLine>;
  /** By shape, with how many eligible jobs are of it. */
  readonly kinds: ReadonlyMap<string, { readonly kind: PendingKind; readonly size: number }>;
}

export interface PendingTally {
  readonly size: number;
  /** By all of them, for the fewest nodes that each runs with. */
  readonly asked: Resources;
}

export interface PendingQueue {
  /** Those whom a planning pass may place, now or once their time has come. */
  readonly admitted: PendingTally;
  readonly withheld: PendingTally;
  /** Of the eligible: by name. */
  readonly classes: ReadonlyMap<string, PendingClass>;
}

/** In a group the oldest submission comes first, whenever it came back. */
export function comparePending(a: PendingAge, b: PendingAge): number {
  return a.submittedAtMs - b.submittedAtMs || compareJobIds(a.id, b.id);
}

export function deadlineOf({ deadlineMs, timeLimitMs }: JobSpec): Deadline | null {
  if (deadlineMs === null) return null;
  return { atMs: deadlineMs, latestStartMs: deadlineMs - (timeLimitMs ?? 0) };
}

export interface Group extends PendingGroup {
  readonly jobs: SortedList<PendingJob, PendingAge>;
}

export interface Line extends PendingLine {
  readonly groups: Map<string, Group>;
}

export interface Class extends PendingClass {
  readonly lines: Map<string, Line>;
  readonly kinds: Map<string, { readonly kind: PendingKind; size: number }>;
}

export interface Tally extends PendingTally {
  size: number;
  readonly asked: { -readonly [K in keyof Resources]: Resources[K] };
}

export interface Queue extends PendingQueue {
  readonly admitted: Tally;
  readonly withheld: Tally;
  readonly classes: Map<string, Class>;
}

export function copyQueue({ admitted, withheld, classes }: Queue): Queue {
  const copies = new Map<string, Class>();
  for (const [name, { lines, kinds }] of classes) {
    const ofClass: Class = { name, lines: new Map(), kinds: new Map() };
    for (const [key, kind] of kinds) ofClass.kinds.set(key, { ...kind });
    for (const [ownerKey, line] of lines) {
      const groups = new Map<string, Group>();
      for (const [key, group] of line.groups)
        groups.set(key, { ...group, jobs: group.jobs.copy() });
      ofClass.lines.set(ownerKey, { ownerKey, groups });
    }
    copies.set(name, ofClass);
  }
  return { admitted: copyTally(admitted), withheld: copyTally(withheld), classes: copies };
}

export function createKind({ queue, priorityClass }: JobSpec, shape: Shape): PendingKind {
  return { queue, priorityClass, shape };
}

export function createGroup(
  job: Job,
  kind: PendingKind,
  entries: readonly PendingJob[],
  ofName: string,
): Group {
  const jobs = new SortedList<PendingJob, PendingAge>(comparePending);
  for (const entry of entries) jobs.add(entry);
  const attainedLevel = attainedLevelOf(job.attainedGpuMs);
  const limitLevel = limitLevelOf(job.spec);
  const forecastLevel = forecastLevelOf(job);
  const deadline = deadlineOf(job.spec);
  return {
    kind,
    ownerKey: userKey(job.owner),
    attainedLevel,
    limitLevel,
    forecastLevel,
    runsAs: ofName,
    deadline,
    jobs,
  };
}

/** Inside the line of one class and user. */
export function groupKey(job: Job, ofShape: string, ofName: string): string {
  const { spec, attainedGpuMs } = job;
  const deadline = deadlineOf(spec);
  const runs = `${limitLevelOf(spec)}|${forecastLevelOf(job)}`;
  const due = deadline === null ? "" : `${deadline.atMs}/${deadline.latestStartMs}`;
  return `${attainedLevelOf(attainedGpuMs)}|${runs}|${due}|${ofShape}|${ofName}`;
}

export const createTally = (): Tally => ({
  size: 0,
  asked: { gpus: 0, cpuMilli: 0, memoryMib: 0 },
});
const copyTally = ({ size, asked }: Tally): Tally => ({ size, asked: { ...asked } });

export function count(tally: Tally, { nodesMin: nodes, perNode }: JobSpec, sign: 1 | -1): void {
  tally.size += sign;
  tally.asked.gpus += sign * nodes * perNode.gpus;
  tally.asked.cpuMilli += sign * nodes * perNode.cpuMilli;
  tally.asked.memoryMib += sign * nodes * perNode.memoryMib;
}
