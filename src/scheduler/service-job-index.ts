// Finds jobs for readers: newest first without sorting, by id, by name, or as someone's newest.
// Kept up to date from committed events; the jobs themselves stay in the cluster state.

import { type Refusal, refuse } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { isRefusal } from "../rpc/status.ts";
import { elementAt, jobOfNumber, jobsOfEvent, numberOfJob } from "./core/array.ts";
import { noSuchJob } from "./core/decision.ts";
import type { LoggedEvent } from "./core/events.ts";
import type { Identity, Job, JobArray } from "./core/job.ts";
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
    const jobs = [...brain.state().jobs.values()];
    for (const job of jobs.sort((a, b) => numberOfJob(a.id) - numberOfJob(b.id))) {
      this.#numbers.push(numberOfJob(job.id));
      this.#name(job.array?.id ?? job.id, job);
    }
    brain.onCommitted((events) => this.#follow(events));
  }

  /** For calls that are about one job: as `find`, but an array is refused. */
  resolve(reference: string, caller: Identity): Job | Refusal {
    const found = this.find(reference, caller);
    if (isRefusal(found) || !isArray(found)) return found;
    const { id, indexes } = found;
    return refuse(
      "JOB_IS_ARRAY",
      `${id} is an array of ${indexes.length} jobs.`,
      `Name one of them, such as ${id}/${indexes[0] ?? 0}.`,
      "job",
    );
  }

  /**
   * `job-42`, `42`, a name (the newest of it), `@last` (the caller's newest), or, of any of these that
   * is an array, an element by its index: `job-42/7`.
   */
  find(reference: string, caller: Identity): Job | JobArray | Refusal {
    const { jobs, arrays } = this.#state();
    const id = this.#elementId(reference, caller) ?? this.#idOf(reference, caller);
    const found = id === undefined ? undefined : (jobs.get(id) ?? arrays.get(id));
    return found ?? this.#search(reference, caller) ?? noSuchJob(reference);
  }

  /** Jobs with a number below `below`, newest first. */
  *newestFirst(below: number): Generator<Job> {
    const { jobs } = this.#state();
    for (let at = firstAtLeast(this.#numbers, below) - 1; at >= 0; at -= 1) {
      const job = jobs.get(jobOfNumber(this.#numbers[at] ?? 0));
      if (job !== undefined) yield job;
    }
  }

  #elementId(reference: string, caller: Identity): JobId | undefined {
    const [, whole = "", index] = /^(.+)\/(\d{1,6})$/.exec(reference) ?? [];
    const id = this.#idOf(whole, caller);
    const array = id === undefined ? undefined : this.#state().arrays.get(id);
    const position = array?.indexes.indexOf(Number(index)) ?? -1;
    return array === undefined || position < 0 ? undefined : elementAt(array, position);
  }

  #idOf(reference: string, caller: Identity): JobId | undefined {
    if (/^(job-)?\d{1,15}$/.test(reference)) {
      return jobOfNumber(Number(reference.replace("job-", "")));
    }
    return reference === "@last"
      ? this.#byOwner.get(ownerKey(caller))
      : this.#byName.get(reference);
  }

  /** The newest of a name may be forgotten while an older one runs on: rare, so a walk will do. */
  #search(reference: string, caller: Identity): Job | JobArray | undefined {
    const isMeant = (job: Job): boolean =>
      reference === "@last"
        ? ownerKey(job.owner) === ownerKey(caller)
        : job.spec.name === reference;
    if (!this.#byName.has(reference) && reference !== "@last") return undefined;
    for (const job of this.newestFirst(Number.MAX_SAFE_INTEGER))
      if (isMeant(job)) return this.#whole(job);
    this.#byName.delete(reference);
    return undefined;
  }

  /** A name means the array, not the element that was met first. */
  #whole(job: Job): Job | JobArray {
    return job.array === null ? job : (this.#state().arrays.get(job.array.id) ?? job);
  }

  #follow(events: readonly LoggedEvent[]): void {
    for (const { event } of events) {
      if (event.kind !== "job.submitted" && event.kind !== "array.submitted") continue;
      for (const id of jobsOfEvent(event)) this.#numbers.push(numberOfJob(id));
      this.#name(event.jobId, event);
    }
    this.#compact();
  }

  #name(id: JobId, { spec, owner }: Pick<Job, "spec" | "owner">): void {
    this.#byName.set(spec.name, id);
    this.#byOwner.set(ownerKey(owner), id);
  }

  #compact(): void {
    const { jobs } = this.#state();
    if (this.#numbers.length < 2 * jobs.size + STALE_MIN) return;
    this.#numbers = this.#numbers.filter((number) => jobs.has(jobOfNumber(number)));
    forgetMissing(this.#byName, jobs);
    forgetMissing(this.#byOwner, jobs);
  }
}

export const isArray = (found: Job | JobArray): found is JobArray => "indexes" in found;

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
