// Watches one task's checkpoint folder, and brings what is complete to the object store while the
// training goes on. Polls: file system events miss files in new folders, so they only hasten the
// next look. Decides nothing itself (`core/`), commits nothing (the scheduler does).

import { messageOf } from "../objects/faults.ts";
import { Alarm } from "./alarm.ts";
import { QUIET_PERIODS } from "./core/completeness.ts";
import { Finder } from "./finder.ts";
import { FolderHint } from "./folder-hint.ts";
import { Sender } from "./sender.ts";
import type { CheckpointWatchDeps, WatchedTask } from "./watched-task.ts";

export interface CheckpointWatch {
  /**
   * The processes are gone: takes what is complete without waiting for silence, and resolves when
   * it is stored or `timeoutMs` has passed. Ends the watch.
   */
  flush(timeoutMs: number): Promise<void>;
  /**
   * Ends the watch at once. An upload that is under way is broken off: for good when the task `isOver`,
   * else a later watch goes on with it.
   */
  stop(what: { readonly isOver: boolean }): Promise<void>;
}

const POLL_MS = 1_000;
const WAIT_MIN_MS = 20;

export function createCheckpointWatch(deps: CheckpointWatchDeps): {
  start(task: WatchedTask): CheckpointWatch;
} {
  return { start: (task) => new TaskWatch(deps, task) };
}

class TaskWatch implements CheckpointWatch {
  readonly #deps: CheckpointWatchDeps;
  readonly #task: WatchedTask;
  readonly #alarm = new Alarm();
  readonly #stopping = new AbortController();
  readonly #finder: Finder;
  readonly #sender: Sender;
  readonly #running: Promise<void>;
  /** One last look, then the end. */
  #isFinal = false;
  #isOver = false;
  #trouble = "";

  constructor(deps: CheckpointWatchDeps, task: WatchedTask) {
    this.#deps = deps;
    this.#task = task;
    this.#sender = new Sender(deps, task, this.#stopping.signal);
    const quiet = deps.quiet ?? QUIET_PERIODS;
    this.#finder = new Finder({ clock: deps.clock, quiet, task, sender: this.#sender });
    this.#running = this.#run();
  }

  async flush(timeoutMs: number): Promise<void> {
    const giveUp = (): void => this.#abort("the time for a last checkpoint is over");
    const deadline = setTimeout(giveUp, timeoutMs);
    this.#isFinal = true;
    this.#isOver = true;
    this.#alarm.ring();
    try {
      await this.#running;
    } finally {
      clearTimeout(deadline);
    }
  }

  async stop({ isOver }: { readonly isOver: boolean }): Promise<void> {
    this.#isOver ||= isOver;
    this.#abort("the watch was stopped");
    await this.#running;
  }

  #abort(why: string): void {
    this.#stopping.abort(new Error(why));
    this.#alarm.ring();
  }

  async #run(): Promise<void> {
    const hint = new FolderHint(this.#task.dir, this.#alarm);
    try {
      await this.#sender.begin();
      while (!this.#isFinal && !this.#stopping.signal.aborted) {
        await this.#alarm.wait(await this.#look());
        hint.renew();
      }
      if (this.#isFinal && !this.#stopping.signal.aborted) {
        await this.#finder.look(true);
        await this.#sender.drain();
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#warn(error, "the checkpoint watch failed");
    } finally {
      hint.close();
      await this.#sender.end(this.#isOver);
    }
  }

  /**
   * Milliseconds until the next look. A slow listing makes the looks rarer: 10 % of a core at most.
   */
  async #look(): Promise<number> {
    const pollMs = this.#deps.pollMs ?? POLL_MS;
    const beganMs = this.#deps.clock.monotonicMs();
    try {
      const nextMs = await this.#finder.look(false);
      this.#trouble = "";
      const tookMs = this.#deps.clock.monotonicMs() - beganMs;
      const wantedMs = nextMs === null ? pollMs : Math.min(nextMs, pollMs / 4);
      return Math.max(wantedMs, WAIT_MIN_MS, tookMs * 10);
    } catch (error) {
      // The same trouble is there at every look: said once.
      const trouble = messageOf(error);
      if (trouble !== this.#trouble) this.#warn(error, "the checkpoint folder cannot be looked at");
      this.#trouble = trouble;
      return pollMs;
    }
  }

  #warn(error: unknown, message: string): void {
    const { jobId, attempt, rank, dir } = this.#task;
    this.#deps.log.warn({ err: error, jobId, attempt, rank, dir }, message);
  }
}
