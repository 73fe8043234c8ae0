// The uploads of one task, one checkpoint at a time: the newest complete one goes next, older ones
// that have not begun are dropped. Waits out a store that is away. Owns the staging folder.

import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault } from "../base/errors.ts";
import type { Digest } from "../base/ids.ts";
import { localIo } from "../objects/faults.ts";
import { backoffMs } from "../objects/retry.ts";
import { Alarm } from "./alarm.ts";
import type { Candidate } from "./core/layouts.ts";
import { loadBlobDigests } from "./documents-io.ts";
import { type Staged, stage, unstage } from "./staging.ts";
import { type UploadedPart, uploadPart } from "./upload.ts";
import type { CheckpointWatchDeps, WatchedTask } from "./watched-task.ts";
import { loadWatchState, saveWatchState, type StoredPart, type WatchState } from "./watch-state.ts";

/** While the store is away. The alarm cuts a wait short when a newer checkpoint is complete. */
const OUTAGE_BACKOFF = { baseMs: 500, capMs: 15_000 };
/** For telling the store, at the end, that uploads will not be finished. */
const DROP_MS = 2_000;

interface Parcel {
  readonly candidate: Candidate;
  readonly signature: Digest;
  readonly step: number;
  readonly takenAtMs: number;
  readonly staged: Staged;
}

export class Sender {
  readonly #deps: CheckpointWatchDeps;
  readonly #task: WatchedTask;
  readonly #signal: AbortSignal;
  readonly #stagingDir: string;
  readonly #arrival = new Alarm();
  /** By candidate: the last listing that is stored, on its way, or was given up. */
  readonly #handled = new Map<string, Digest>();
  #state: WatchState;
  #next: Parcel | null = null;
  #current: Parcel | null = null;
  #sending: Promise<void> | null = null;
  #stagedCount = 0;

  constructor(deps: CheckpointWatchDeps, task: WatchedTask, signal: AbortSignal) {
    this.#deps = deps;
    this.#task = task;
    this.#signal = signal;
    const beside = join(dirname(task.dir), `.${basename(task.dir)}.staging`);
    this.#stagingDir = task.stagingDir ?? beside;
    this.#state = {
      task: `${task.jobId}/${task.attempt}/${task.rank}`,
      countedStep: 0,
      stored: [],
    };
    signal.addEventListener("abort", () => this.#arrival.ring(), { once: true });
  }

  /** Reports what an earlier agent process stored, and clears what it left. */
  async begin(): Promise<void> {
    this.#state = await loadWatchState(this.#statePath, this.#state.task);
    await this.#clearFiles();
    for (const { key, signature, part } of this.#state.stored) {
      this.#handled.set(key, signature);
      this.#task.onStored(part);
    }
  }

  isHandled(key: string, signature: Digest): boolean {
    return this.#handled.get(key) === signature;
  }

  /** Something newer than this step is stored or on its way; null = a step that is counted. */
  hasNewer(step: number | null): boolean {
    if (step === null) return false;
    const steps = [this.#next, this.#current, this.#state.stored.at(-1)?.part];
    return steps.some((other) => (other?.step ?? -1) > step);
  }

  /** Secures a complete checkpoint and queues it. False when it changed in that moment. */
  async take(candidate: Candidate, signature: Digest): Promise<boolean> {
    this.#stagedCount += 1;
    const staged = await stage({
      dir: this.#task.dir,
      folder: join(this.#stagingDir, "files", String(this.#stagedCount)),
      files: candidate.files,
      // A name without a step is written over and over.
      prefersCopy: candidate.step === null,
    });
    if (staged === null) return false;
    const step = candidate.step ?? (await this.#countStep());
    const parcel = { candidate, signature, step, takenAtMs: this.#takenAtMs(candidate), staged };
    this.#handled.set(candidate.key, signature);
    const dropped = this.#next;
    this.#next = parcel;
    if (dropped !== null) await unstage(dropped.staged);
    this.#arrival.ring();
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
    return true;
  }

  /** Resolves when nothing is left to send. */
  async drain(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  /** Call after the abort, or after `drain`. `isOver`: no later watch goes on with this task. */
  async end(isOver: boolean): Promise<void> {
    await this.drain();
    await this.#orWarn("staged checkpoint files stay behind", () => this.#clearFiles());
    if (isOver) await this.#dropUploads(AbortSignal.timeout(DROP_MS));
  }

  get #statePath(): string {
    return join(this.#stagingDir, "state.json");
  }

  get #notesDir(): string {
    return join(this.#stagingDir, "uploads");
  }

  /** What was begun and will not be finished: a newer checkpoint is stored, or the task is over. */
  async #dropUploads(signal: AbortSignal): Promise<void> {
    const names = await readdir(this.#notesDir).catch(() => []);
    await this.#orWarn("parts of unfinished uploads stay in the store", async () => {
      for (const name of names) {
        await this.#deps.objects.dropUpload(join(this.#notesDir, name), { signal });
      }
    });
  }

  async #clearFiles(): Promise<void> {
    const folder = join(this.#stagingDir, "files");
    await localIo("remove", folder, () => rm(folder, { recursive: true, force: true }));
  }

  /** Above everything known, so that the newest counts as the newest. */
  async #countStep(): Promise<number> {
    const stored = this.#state.stored.map(({ part }) => part.step);
    const committed = this.#task.dedupeAgainst()?.step ?? 0;
    const countedStep = Math.max(this.#state.countedStep, committed, ...stored) + 1;
    this.#state = { ...this.#state, countedStep };
    await this.#orWarn("the watch state is not saved", () =>
      saveWatchState(this.#statePath, this.#state),
    );
    return countedStep;
  }

  /** When the script had finished writing it. A file's time may be off, but never in the future. */
  #takenAtMs(candidate: Candidate): number {
    const writtenMs = Math.max(0, ...candidate.files.map(({ mtimeMs }) => Math.floor(mtimeMs)));
    return Math.min(writtenMs, this.#deps.clock.nowMs());
  }

  async #sendAll(): Promise<void> {
    while (this.#next !== null && !this.#signal.aborted) {
      this.#current = this.#next;
      this.#next = null;
      const { staged } = this.#current;
      await this.#send(this.#current);
      await this.#orWarn("staged checkpoint files stay behind", () => unstage(staged));
      this.#current = null;
    }
  }

  async #send(parcel: Parcel): Promise<void> {
    for (let tries = 1; !this.#signal.aborted; tries += 1) {
      try {
        const part = await this.#upload(parcel);
        if (part === null) this.#handled.delete(parcel.candidate.key);
        else await this.#stored(parcel, part);
        return;
      } catch (error) {
        if (!(await this.#mayTryAgain(parcel, error, tries))) return;
      }
    }
  }

  async #upload(parcel: Parcel): Promise<UploadedPart | null> {
    const { jobId, attempt, rank } = this.#task;
    const { step, staged, candidate } = parcel;
    const { objects, cache = null } = this.#deps;
    const likelyStored = await this.#likelyStored();
    const { layout } = candidate;
    const what = { jobId, attempt, rank, step, layout };
    const upload = { ...what, staged, likelyStored, notesDir: this.#notesDir };
    return await uploadPart(objects, cache, upload, this.#signal);
  }

  /** What the newest committed checkpoint has, and what this task stored last. */
  async #likelyStored(): Promise<ReadonlySet<Digest>> {
    const known = new Set(this.#state.stored.at(-1)?.blobs);
    const committed = this.#task.dedupeAgainst();
    if (committed === null) return known;
    try {
      const options = { signal: this.#signal };
      const blobs = await loadBlobDigests(this.#deps.objects, committed, options);
      for (const blob of blobs) known.add(blob);
    } catch (error) {
      // Only a hint: a manifest that cannot be read must not keep newer checkpoints from the store.
      if (!(error instanceof Fault) || error.isRetryable) throw error;
      this.#warn(error, "the newest committed checkpoint is unreadable; everything is sent again");
    }
    return known;
  }

  async #stored(parcel: Parcel, { blobs, ...uploaded }: UploadedPart): Promise<void> {
    const { candidate, signature, step, takenAtMs } = parcel;
    const part: StoredPart = { step, takenAtMs, ...uploaded };
    const entry = { key: candidate.key, signature, part, blobs };
    this.#state = { ...this.#state, stored: [...this.#state.stored, entry] };
    // Worth a second upload after a restart, no more: the part is stored and is reported.
    await this.#orWarn("the watch state is not saved", () =>
      saveWatchState(this.#statePath, this.#state),
    );
    const { jobId, attempt, rank } = this.#task;
    this.#deps.log.info({ jobId, attempt, rank, ...part }, "checkpoint part stored");
    this.#task.onStored(part);
    await this.#dropUploads(this.#signal);
  }

  /** Whether to send it once more, after a pause. A newer one that is complete takes its place. */
  async #mayTryAgain(parcel: Parcel, error: unknown, tries: number): Promise<boolean> {
    if (this.#signal.aborted) {
      this.#warn(this.#signal.reason, `checkpoint of step ${parcel.step} was not stored`);
      return false;
    }
    if (!(error instanceof Fault) || !error.isRetryable) {
      this.#warn(error, `checkpoint of step ${parcel.step} cannot be stored`);
      return false;
    }
    if (tries === 1) this.#warn(error, `checkpoint of step ${parcel.step} waits for the store`);
    await this.#arrival.wait(backoffMs(OUTAGE_BACKOFF, tries));
    return this.#next === null;
  }

  async #orWarn(message: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#warn(error, message);
    }
  }

  #warn(error: unknown, message: string): void {
    const { jobId, attempt, rank } = this.#task;
    this.#deps.log.warn({ err: error, jobId, attempt, rank }, message);
  }
}
