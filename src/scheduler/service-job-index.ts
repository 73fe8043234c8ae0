// Finds jobs for readers: newest first without sorting, by id, by name, or as someone's newest.
// Kept up to date from committed events; the jobs themselves stay in the cluster state.

import type { Refusal } from "../base/errors.ts";
import { type JobId, jobId } from "../base/ids.ts";
import { noSuchJob } from "./core/decision.ts";
import type { LoggedEvent } from "./core/events.ts";
import type { Identity, Job } from "./core/job.ts";
import type { ClusterState } from "./core/state.ts";
import type { Brain } from "./service-ports.ts";

/**
 * Numbers of forgotten jobs are dropped once they are as many as the live ones, and more than this.
 */
const STALE_MIN = 1_024;

export class JobIndex {
  readonly #state: () => ClusterState;
  /** Numbers of jobs, ascending; some may have been forgotten by the state. */
  #numbers: number[] = [];
  readonly #byName = new Map<string, JobId>();
  readonly #byOwner = new Map<string, JobId>();

  constructor(brain: Pick<Brain, "state" | "onCommitted">) {
    this.#state = () => brain.state();
    const jobs = [...brain.state().jobs.values()].map((job) => ({ job, number: numberOf(job.id) }));
    for (const { job, number } of jobs.sort((a, b) => a.number - b.number)) this.#add(job, number);
    brain.onCommitted((events) => this.#follow(events));
  }

  /** `job-42`, `42`, a name (the newest of it), or `@last` (the caller's newest). */
  resolve(reference: string, caller: Identity): Job | Refusal {
    const { jobs } = this.#state();
    const id = this.#idOf(reference, caller);
    const found = id === undefined ? undefined : jobs.get(id);
    return found ?? this.#search(reference, caller) ?? noSuchJob(reference);
  }

  /** Jobs with a number below `below`, newest first. */
  *newestFirst(below: number): Generator<Job> {
    const { jobs } = this.#state();
    for (let at = firstAtLeast(this.#numbers, below) - 1; at >= 0; at -= 1) {
      const job = jobs.get(idOfNumber(this.#numbers[at] ?? 0));
      if (job !== undefined) yield job;
    }
  }

  #idOf(reference: string, caller: Identity): JobId | undefined {
    if (/^(job-)?\d{1,15}$/.test(reference)) {
      return idOfNumber(Number(reference.replace("job-", "")));
    }
    return reference === "@last"
      ? this.#byOwner.get(ownerKey(caller))
      : this.#byName.get(reference);
  }

  /** The newest of a name may be forgotten while an older one runs on: rare, so a walk will do. */
  #search(reference: string, caller: Identity): Job | undefined {
    const isMeant = (job: Job): boolean =>
      reference === "@last"
        ? ownerKey(job.owner) === ownerKey(caller)
        : job.spec.name === reference;
    if (!this.#byName.has(reference) && reference !== "@last") return undefined;
    for (const job of this.newestFirst(Number.MAX_SAFE_INTEGER)) if (isMeant(job)) return job;
    this.#byName.delete(reference);
    return undefined;
  }

  #follow(events: readonly LoggedEvent[]): void {
    for (const { event } of events) {
      if (event.kind !== "job.submitted") continue;
      const { jobId: id, spec, owner } = event;
      this.#add({ id, spec, owner }, numberOf(id));
    }
    this.#compact();
  }

  #add(job: Pick<Job, "id" | "spec" | "owner">, number: number): void {
    this.#numbers.push(number);
    this.#byName.set(job.spec.name, job.id);
    this.#byOwner.set(ownerKey(job.owner), job.id);
  }

  #compact(): void {
    const { jobs } = this.#state();
    if (this.#numbers.length < 2 * jobs.size + STALE_MIN) return;
    this.#numbers = this.#numbers.filter((number) => jobs.has(idOfNumber(number)));
    forgetMissing(this.#byName, jobs);
    forgetMissing(this.#byOwner, jobs);
  }
}

export const numberOf = (id: JobId): number => Number(id.slice("job-".length));

const idOfNumber = (number: number): JobId => jobId(`job-${number}`);

const ownerKey = (owner: Identity): string => `${owner.tenant}/${owner.user}`;

/** Names whose newest job is gone but an older one is not come back as a walk: see `#search`. */
function forgetMissing(index: Map<string, JobId>, jobs: ReadonlyMap<JobId, Job>): void {
  const live = new Set<string>();
  for (const job of jobs.values()) live.add(job.spec.name).add(ownerKey(job.owner));
  for (const [key, id] of index) if (!jobs.has(id) && !live.has(key)) index.delete(key);
}

/** Position of the first number that is at least `bound`, in an ascending list. */
function firstAtLeast(numbers: readonly number[], bound: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? bound) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
