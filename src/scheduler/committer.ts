// Makes checkpoints durable and lets old ones go. Looks at the state of each job that something
// happened to, and does what is due: writes the manifest of what is whole, records it, deletes what
// retention no longer keeps. Whatever fails is done again later; nothing depends on an event seen.

import { Fault, type Refusal } from "../base/errors.ts";
import type { CheckpointId, Digest, JobId } from "../base/ids.ts";
import { checkpointsToDelete } from "../checkpoint/core/retention.ts";
import type { Logger } from "../obs/log.ts";
import { orAborted } from "../rpc/abort.ts";
import type { Accepted, Command } from "./core/commands.ts";
import { isWhole } from "./core/decide-checkpoint.ts";
import { jobOfEvent, type LoggedEvent } from "./core/events.ts";
import { activeAttempt, type Checkpoint, type CheckpointPart, type Job } from "./core/job.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain } from "./service-ports.ts";

/**
 * The object store's side of it. Both are idempotent, throw a `Fault`, and are broken off by the
 * signal.
 */
export interface CheckpointObjects {
  /**
   * Checks that the parts belong together and writes the manifest, last of all; answers its sha256.
   * A fault that is not retryable means that the checkpoint can never be committed.
   */
  commit(
    request: {
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
      readonly attempt: number;
      readonly step: number;
      readonly parts: readonly CheckpointPart[];
    },
    options: { readonly signal: AbortSignal },
  ): Promise<Digest>;
  /** Deletes what the checkpoint has and no retained part shares. */
  remove(
    request: {
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
      readonly parts: readonly CheckpointPart[];
      /** Of every other checkpoint of the job. */
      readonly retainedParts: readonly CheckpointPart[];
    },
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}

export interface CommitterParts {
  readonly brain: Pick<Brain, "execute" | "state" | "onCommitted">;
  readonly objects: CheckpointObjects;
  readonly timers: TimerPort;
  readonly logger: Logger;
}

/** Jobs worked on at once. */
const JOBS_MAX = 4;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 60_000;

export class CheckpointCommitter {
  readonly #parts: CommitterParts;
  /** Jobs to look at, oldest first. */
  readonly #due = new Set<JobId>();
  readonly #busy = new Map<JobId, Promise<void>>();
  /** Deleted from the state, and not yet from the store. */
  readonly #removals = new Map<JobId, Checkpoint[]>();
  readonly #failures = new Map<JobId, number>();
  readonly #retries = new Map<JobId, () => void>();
  readonly #stopper = new AbortController();
  #unsubscribe: (() => void) | null = null;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /** After the loop's start: looks at every job that has checkpoints, then follows. */
  start(): void {
    const { brain } = this.#parts;
    this.#unsubscribe = brain.onCommitted((events) => this.#follow(events));
    for (const job of brain.state().jobs.values())
      if (job.checkpoints.length > 0) this.#add(job.id);
  }

  /**
   * Breaks off what is under way: the next start finds it due again. Neither a store that is away
   * nor a loop that has failed, and answers no more, holds this up.
   */
  async stop(): Promise<void> {
    this.#stopper.abort(new Error("the scheduler stops"));
    this.#unsubscribe?.();
    for (const cancel of this.#retries.values()) cancel();
    await Promise.all(this.#busy.values());
  }

  #follow(events: readonly LoggedEvent[]): void {
    for (const { event } of events) {
      if (!event.kind.startsWith("checkpoint.") && event.kind !== "attempt.ended") continue;
      const id = jobOfEvent(event);
      if (id !== null) this.#add(id);
    }
  }

  #add(id: JobId): void {
    this.#due.add(id);
    this.#fill();
  }

  #fill(): void {
    for (const id of this.#due) {
      if (this.#stopper.signal.aborted || this.#busy.size >= JOBS_MAX) return;
      if (this.#busy.has(id)) continue;
      this.#due.delete(id);
      this.#busy.set(id, this.#work(id));
    }
  }

  async #work(id: JobId): Promise<void> {
    try {
      await this.#settle(id);
      this.#failures.delete(id);
    } catch (error) {
      this.#retryLater(id, error);
    } finally {
      this.#busy.delete(id);
      this.#fill();
    }
  }

  /** Commits before deletions: one that cannot be carried out must not keep the newest waiting. */
  async #settle(id: JobId): Promise<void> {
    const job = this.#parts.brain.state().jobs.get(id);
    // The newest first: it is what a preempted job waits for.
    if (job !== undefined) {
      for (const checkpoint of committable(job).reverse()) await this.#commit(checkpoint);
      await this.#retain(id);
    }
    await this.#removeObjects(id);
  }

  #execute(command: Command): Promise<Accepted | Refusal> {
    const envelope = { command, actor: "scheduler", request: null } as const;
    return orAborted(this.#parts.brain.execute(envelope), this.#stopper.signal);
  }

  async #commit(checkpoint: Checkpoint): Promise<void> {
    const { objects, logger } = this.#parts;
    const { jobId, id: checkpointId } = checkpoint;
    const { signal } = this.#stopper;
    const outcome = await objects
      .commit({ ...checkpoint, checkpointId }, { signal })
      .catch((error: unknown) => {
        if (error instanceof Fault && !error.isRetryable) return error;
        throw error;
      });
    const command =
      outcome instanceof Fault
        ? ({ kind: "checkpoint.reject", jobId, checkpointId, why: outcome.message } as const)
        : ({ kind: "checkpoint.commit", jobId, checkpointId, manifestDigest: outcome } as const);
    const reply = await this.#execute(command);
    if (reply.kind === "accepted") return;
    // Mostly STALE_ATTEMPT: the job has moved on while the manifest was written.
    logger.info({ checkpointId, code: reply.code }, "A checkpoint was not recorded");
    if (reply.code === "TOO_MANY_REQUESTS") throw new Fault(reply.code, reply.message);
  }

  /**
   * The state first, the store after: only the writer can say that no attempt needs the checkpoint
   * at this moment. A crash in between leaves objects that nobody names, never a name without them.
   */
  async #retain(id: JobId): Promise<void> {
    const job = this.#parts.brain.state().jobs.get(id);
    if (job === undefined) return;
    const gone = new Set(
      checkpointsToDelete(job.checkpoints, job.spec.checkpoint.keep, inUse(job)),
    );
    for (const checkpoint of job.checkpoints.filter((one) => gone.has(one.id))) {
      const command = {
        kind: "checkpoint.delete",
        jobId: id,
        checkpointId: checkpoint.id,
      } as const;
      const reply = await this.#execute(command);
      if (reply.kind === "accepted") this.#noteRemoval(id, checkpoint);
    }
  }

  #noteRemoval(id: JobId, checkpoint: Checkpoint): void {
    const waiting = this.#removals.get(id) ?? [];
    this.#removals.set(id, [...waiting, checkpoint]);
  }

  async #removeObjects(id: JobId): Promise<void> {
    const { signal } = this.#stopper;
    for (const { id: checkpointId, parts } of this.#removals.get(id) ?? []) {
      const kept = this.#parts.brain.state().jobs.get(id)?.checkpoints ?? [];
      const retainedParts = kept.flatMap((checkpoint) => checkpoint.parts);
      const request = { jobId: id, checkpointId, parts, retainedParts };
      await this.#parts.objects.remove(request, { signal });
    }
    this.#removals.delete(id);
  }

  #retryLater(id: JobId, error: unknown): void {
    if (this.#stopper.signal.aborted) return;
    const { timers, logger } = this.#parts;
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (failures - 1));
    const fields = { jobId: id, failures, delayMs, error };
    if (failures === 1) logger.info(fields, "Checkpoint work is put off");
    else logger.warn(fields, "Checkpoint work fails again and again; it is tried on");
    this.#retries.get(id)?.();
    const cancel = timers.after(delayMs, () => {
      this.#retries.delete(id);
      this.#add(id);
    });
    this.#retries.set(id, cancel);
  }
}

/** Whole and of the newest attempt, lowest step first. */
function committable(job: Job): Checkpoint[] {
  return job.checkpoints.filter(
    (checkpoint) =>
      checkpoint.state === "gathering" &&
      checkpoint.attempt === job.attemptLast &&
      isWhole(job, checkpoint),
  );
}

/** What the running attempt restores from now. */
function inUse(job: Job): ReadonlySet<CheckpointId> {
  const from = activeAttempt(job.phase)?.resumeFrom ?? null;
  return new Set(from === null ? [] : [from]);
}
