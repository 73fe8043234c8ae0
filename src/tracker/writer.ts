// The tracker's one writer: operations wait in a bounded queue, are run in groups on one unit of
// work, and are answered when the group's single transaction is on disk. Owns the order of writes
// and nothing else; what an operation does is the operation's business.
//
// Nobody waits for a timer: while one group is being flushed the next one gathers by itself.

import { Fault } from "../base/errors.ts";
import type { TrackerStore } from "./store.ts";
import { Unit } from "./unit.ts";

/** Points that one group may hold: bounds how long the event loop is held up (about 10 ms). */
const GROUP_POINTS_MAX = 20_000;
const GROUP_OPERATIONS_MAX = 2_000;
/** Points that may wait; a single larger operation still enters an empty queue. */
const WAITING_POINTS_MAX = 500_000;
const WAITING_OPERATIONS_MAX = 50_000;

/** Where a test may end the process. */
export type TrackerCrashPoint = "tracker.before-commit" | "tracker.after-commit";

export interface WriterOptions {
  readonly store: TrackerStore;
  readonly nowMs: () => number;
  readonly crashPoint: (point: TrackerCrashPoint) => void;
  /** Called with the duration of each commit, in seconds. */
  readonly onCommit: (seconds: number, points: number) => void;
}

interface Waiting {
  readonly points: number;
  readonly run: (unit: Unit) => void;
  readonly finish: () => void;
  readonly fail: (reason: unknown) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #waiting: Waiting[] = [];
  readonly #spaceWanted: (() => void)[] = [];
  #waitingPoints = 0;
  #running: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  waitingPoints(): number {
    return this.#waitingPoints;
  }

  isFull(): boolean {
    return (
      this.#waitingPoints >= WAITING_POINTS_MAX || this.#waiting.length >= WAITING_OPERATIONS_MAX
    );
  }

  /** Resolves when the queue takes operations again: how a stream is slowed down. */
  async space(): Promise<void> {
    while (this.isFull() && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#spaceWanted.push(resolve));
    }
  }

  /**
   * Runs `operation` in the next group; resolves with its result when that is durable. Rejects with
   * `TOO_MANY_REQUESTS` when the queue is full, `SHUTTING_DOWN` after `close`, and the store's
   * fault when the group could not be written: then nothing of it is stored.
   */
  submit<Result>(points: number, operation: (unit: Unit) => Result): Promise<Result> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.isFull()) return Promise.reject(full(this.#waiting.length));
    return new Promise<Result>((resolve, reject) => {
      let result: { readonly value: Result } | null = null;
      this.#waiting.push({
        points,
        run: (unit) => {
          result = { value: operation(unit) };
        },
        finish: () => (result === null ? reject(closed()) : resolve(result.value)),
        fail: reject,
      });
      this.#waitingPoints += points;
      this.#running ??= this.#drain();
    });
  }

  /** Writes what waits and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeWaiters();
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Operations of the same turn of the event loop go into the same group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#writeGroup(this.#takeGroup());
      this.#wakeWaiters();
    }
    this.#running = null;
  }

  #takeGroup(): readonly Waiting[] {
    let count = 0;
    let points = 0;
    for (const { points: more } of this.#waiting) {
      if (count === GROUP_OPERATIONS_MAX || (count > 0 && points + more > GROUP_POINTS_MAX)) break;
      count += 1;
      points += more;
    }
    this.#waitingPoints -= points;
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const unit = new Unit(this.#options.store, this.#options.nowMs());
      for (const { run } of group) run(unit);
      const points = group.reduce((sum, waiting) => sum + waiting.points, 0);
      await this.#commit(unit, points);
    } catch (error) {
      for (const { fail } of group) fail(error);
      return;
    }
    for (const { finish } of group) finish();
  }

  async #commit(unit: Unit, points: number): Promise<void> {
    const writes = unit.writes();
    if (writes === null) return;
    const { store, crashPoint, onCommit } = this.#options;
    crashPoint("tracker.before-commit");
    const from = performance.now();
    await store.commit(writes);
    onCommit((performance.now() - from) / 1_000, points);
    crashPoint("tracker.after-commit");
  }

  #wakeWaiters(): void {
    for (const wake of this.#spaceWanted.splice(0)) wake();
  }
}

function closed(): Fault {
  return new Fault("SHUTTING_DOWN", "The tracker is stopping: send it again in a moment.");
}

function full(waiting: number): Fault {
  const message = `${waiting} writes wait already: send it again in a moment, or larger batches.`;
  return new Fault("TOO_MANY_REQUESTS", message);
}
