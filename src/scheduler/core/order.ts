// In what order the jobs of one leaf queue are looked at: priority class, then the user who holds
// least of the queue, then the queue's own order, then age. Knows nothing of nodes or other queues.

import { must } from "../../base/assert.ts";
import { popHeap, pushHeap } from "../../base/heap.ts";
import { compareText, type JobId } from "../../base/ids.ts";
import { HOUR_MS } from "../../base/time.ts";
import { type Identity, type Job, userKey } from "./job.ts";
import type { QueueNode } from "./queue-tree.ts";
import type { Shape } from "./shape.ts";
import type { Policy } from "./state.ts";

/** A job that has consumed this much is served after those that have not, in a `las` queue. */
export const LAS_LEVEL_GPU_MS = HOUR_MS;

/** A pending job in one planning pass. */
export interface WaitingJob {
  readonly job: Job;
  readonly shape: Shape;
  readonly leaf: QueueNode;
  readonly priority: number;
  readonly sinceMs: number;
}

/** `job-9` before `job-10`: by length, then by text. */
export function compareJobIds(a: JobId, b: JobId): number {
  return a.length - b.length || compareText(a, b);
}

/** A class that the policy no longer names counts as the lowest. */
export function priorityOf(job: Job, policy: Policy): number {
  return policy.priorityClasses[job.spec.priorityClass] ?? Number.MIN_SAFE_INTEGER;
}

interface User {
  /** GPUs that the user holds or is about to hold in this leaf queue. */
  gpus: number;
}

/** One user's jobs of one priority class. */
interface Line {
  readonly owner: Identity;
  /** The line of another tenant's user of the same name. */
  readonly namesake: Line | null;
  readonly user: User;
  readonly jobs: WaitingJob[];
  next: number;
}

/**
 * By user name. Ten thousand jobs are sorted into these: no text is made and no second map asked.
 */
type Lines = Map<Identity["user"], Line>;

/**
 * Hands out the jobs of a leaf queue one by one. Inside a priority class the user who holds the
 * fewest GPUs of the queue goes first; whoever is charged in between moves back.
 */
export class LeafOrder {
  readonly leaf: QueueNode;
  readonly #users: Map<string, User>;
  /** Ascending priority: the last one is served first. */
  readonly #classes: Line[][];
  /** A heap of the class that is served now. */
  #lines: Line[] = [];
  #current: Line | null = null;
  #peeked: WaitingJob | null = null;
  readonly #compareJobs: (a: WaitingJob, b: WaitingJob) => number;

  constructor(leaf: QueueNode, jobs: readonly WaitingJob[], held: ReadonlyMap<string, number>) {
    this.leaf = leaf;
    this.#compareJobs = leaf.spec.order === "las" ? compareAttained : compareAge;
    this.#users = new Map([...held].map(([key, gpus]) => [key, { gpus }]));
    this.#classes = this.#classify(jobs);
  }

  /** What `next` will hand out. Look only after the last job was charged. */
  peek(): WaitingJob | null {
    this.#peeked ??= this.#advance();
    return this.#peeked;
  }

  /** The next job, or null when all have been handed out. */
  next(): WaitingJob | null {
    const waiting = this.peek();
    this.#peeked = null;
    return waiting;
  }

  #advance(): WaitingJob | null {
    this.#putBack();
    while (this.#lines.length === 0) {
      const lines = this.#classes.pop();
      if (lines === undefined) return null;
      for (const line of lines) pushHeap(this.#lines, line, this.#compareLines);
    }
    const line = popHeap(this.#lines, this.#compareLines);
    const waiting = headOf(line);
    line.next += 1;
    this.#current = line;
    return waiting;
  }

  /** The job that was handed out last holds, or will hold, its GPUs. */
  charge(gpus: number): void {
    must(this.#current, "a job was handed out").user.gpus += gpus;
  }

  #putBack(): void {
    const line = this.#current;
    this.#current = null;
    if (line !== null && line.next < line.jobs.length)
      pushHeap(this.#lines, line, this.#compareLines);
  }

  #classify(jobs: readonly WaitingJob[]): Line[][] {
    const byPriority = new Map<number, Lines>();
    for (const waiting of jobs) {
      let lines = byPriority.get(waiting.priority);
      if (lines === undefined) byPriority.set(waiting.priority, (lines = new Map()));
      this.#lineOf(lines, waiting.job.owner).jobs.push(waiting);
    }
    const ranked = [...byPriority].sort(([a], [b]) => a - b);
    return ranked.map(([, lines]) => {
      const ofClass = [...lines.values()].flatMap(withNamesakes);
      for (const { jobs } of ofClass) sortIfNeeded(jobs, this.#compareJobs);
      return ofClass;
    });
  }

  /** Of two users who hold as much, the one whose next job comes first goes first. */
  readonly #compareLines = (a: Line, b: Line): number => {
    return a.user.gpus - b.user.gpus || this.#compareJobs(headOf(a), headOf(b));
  };

  #lineOf(lines: Lines, owner: Identity): Line {
    const namesake = lines.get(owner.user) ?? null;
    for (let line = namesake; line !== null; line = line.namesake) {
      if (line.owner.tenant === owner.tenant) return line;
    }
    const key = userKey(owner);
    let user = this.#users.get(key);
    if (user === undefined) this.#users.set(key, (user = { gpus: 0 }));
    const line: Line = { owner, namesake, user, jobs: [], next: 0 };
    lines.set(owner.user, line);
    return line;
  }
}

function withNamesakes(line: Line): readonly Line[] {
  return line.namesake === null ? [line] : [line, ...withNamesakes(line.namesake)];
}

/** Most lists come in order; to sort those makes copies of them. */
function sortIfNeeded<T>(items: T[], compare: (a: T, b: T) => number): void {
  for (let at = 1; at < items.length; at += 1) {
    if (compare(must(items[at - 1], "item"), must(items[at], "item")) <= 0) continue;
    items.sort(compare);
    return;
  }
}

function compareAge(a: WaitingJob, b: WaitingJob): number {
  return a.job.submittedAtMs - b.job.submittedAtMs || compareJobIds(a.job.id, b.job.id);
}

function compareAttained(a: WaitingJob, b: WaitingJob): number {
  const level = ({ job }: WaitingJob): number => (job.attainedGpuMs < LAS_LEVEL_GPU_MS ? 0 : 1);
  return level(a) - level(b) || compareAge(a, b);
}

function headOf({ jobs, next }: Line): WaitingJob {
  return must(jobs[next], "a line in the heap has jobs");
}
