// WatchJobs: the state of jobs now and at each change. A slow client gets the newest state of each
// job, not a backlog: what changed while a message was on its way is one change.

import type { Refusal } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { isRefusal } from "../rpc/status.ts";
import { elementIds, jobsOfEvent } from "./core/array.ts";
import { type Identity, isEnded, type Job } from "./core/job.ts";
import type { TimerPort } from "./loop-timers.ts";
import { isArray, type JobIndex } from "./service-job-index.ts";
import type { Brain } from "./service-ports.ts";

/** Holds change without an event: named jobs that wait are looked at this often. */
const HOLD_INTERVAL_MS = 1_000;

export interface Watcher {
  readonly caller: Identity;
  readonly signal: AbortSignal;
  /** Resolves when the client takes more. */
  readonly send: (job: Job) => Promise<void>;
}

export interface JobWatchParts {
  readonly brain: Brain;
  readonly index: JobIndex;
  readonly timers: TimerPort;
}

export class JobWatch {
  readonly #parts: JobWatchParts;

  constructor(parts: JobWatchParts) {
    this.#parts = parts;
  }

  /** Runs until the watcher's signal falls. Refuses a reference that means no job. */
  async run(references: readonly string[], watcher: Watcher): Promise<Refusal | undefined> {
    const { brain, index } = this.#parts;
    const named = new Set<JobId>();
    for (const reference of references) {
      const found = index.find(reference, watcher.caller);
      if (isRefusal(found)) return found;
      for (const id of isArray(found) ? elementIds(found) : [found.id]) named.add(id);
    }
    const changes = new Changes(named.size === 0 ? null : named, watcher.signal);
    const unsubscribe = brain.onCommitted((events) => {
      for (const { event } of events) for (const id of jobsOfEvent(event)) changes.note(id);
    });
    try {
      for (const id of named.size === 0 ? this.#live() : named) changes.note(id);
      await this.#sendAll(changes, named, watcher);
    } finally {
      unsubscribe();
    }
    return undefined;
  }

  async #sendAll(
    changes: Changes,
    named: ReadonlySet<JobId>,
    { signal, send }: Watcher,
  ): Promise<void> {
    const { brain, timers } = this.#parts;
    const holds = new Map<JobId, string>();
    while (!signal.aborted) {
      for (const id of changes.take()) {
        const job = brain.state().jobs.get(id);
        if (job === undefined) continue;
        holds.set(id, brain.hold(id).code);
        await send(job);
      }
      await changes.wait(timers, named.size === 0 ? null : HOLD_INTERVAL_MS);
      for (const id of named) if (this.#hasNewHold(id, holds)) changes.note(id);
    }
  }

  #hasNewHold(id: JobId, holds: ReadonlyMap<JobId, string>): boolean {
    const job = this.#parts.brain.state().jobs.get(id);
    return job?.phase.kind === "pending" && this.#parts.brain.hold(id).code !== holds.get(id);
  }

  #live(): readonly JobId[] {
    const jobs = [...this.#parts.brain.state().jobs.values()];
    return jobs.filter((job) => !isEnded(job.phase)).map((job) => job.id);
  }
}

/** Jobs that changed and were not sent yet. */
class Changes {
  readonly #named: ReadonlySet<JobId> | null;
  readonly #signal: AbortSignal;
  #dirty = new Set<JobId>();
  #wake: (() => void) | null = null;

  /** `named` null = every job. */
  constructor(named: ReadonlySet<JobId> | null, signal: AbortSignal) {
    this.#named = named;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  note(id: JobId): void {
    if (this.#named?.has(id) === false) return;
    this.#dirty.add(id);
    this.#wake?.();
  }

  take(): ReadonlySet<JobId> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }

  /** Until something changed, `limitMs` passed, or the watcher is gone. */
  async wait(timers: TimerPort, limitMs: number | null): Promise<void> {
    if (this.#dirty.size > 0 || this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = limitMs === null ? null : timers.after(limitMs, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = null;
        cancel?.();
        resolve();
      };
    });
  }
}
