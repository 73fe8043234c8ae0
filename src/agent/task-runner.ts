// Carries out the actions of one task: prepares it, gives its supervisor orders, watches its
// checkpoints, ships its metrics. Says what happened as local events; decides nothing.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredPart } from "../scheduler/core/commands.ts";
import type { CheckpointRef, DesiredTask, StopOrder } from "../scheduler/core/desired.ts";
import type { JobSpec, Rendezvous, TaskExit } from "../scheduler/core/job.ts";
import type { KillWhy } from "./core/actions.ts";
import { exitMessage, isNoSpace, isPortTaken } from "./core/exit-message.ts";
import type { LocalEvent } from "./core/local.ts";
import type { TaskKey } from "./core/task-key.ts";
import { commandOf, environmentOf, type NodeFacts, TASK_MARKER } from "./core/torchrun.ts";
import type { DiskWatch } from "./disk-watch.ts";
import { hasFiles, readJson } from "./files.ts";
import { MetricShipper } from "./metrics.ts";
import type { AgentPorts, CheckpointWatching } from "./ports.ts";
import { prepare, prepareFailure } from "./prepare.ts";
import { bootMs, findMarked, isErrno } from "./proc.ts";
import { chooseRendezvous } from "./rendezvous.ts";
import { killTask, SupervisorHandle } from "./supervisor-handle.ts";
import type { SupervisorPool } from "./supervisor-pool.ts";
import type { SupervisorCommand, SupervisorState } from "./supervisor-protocol.ts";
import type { TaskFolder, TaskRecord } from "./task-folder.ts";

/** What all runners of an agent share. */
export interface RunnerContext {
  readonly stateDir: string;
  readonly leaseFile: string;
  readonly facts: () => NodeFacts;
  readonly pool: SupervisorPool;
  readonly ports: AgentPorts;
  readonly disk: DiskWatch;
  readonly emit: (event: LocalEvent) => void;
}

const STDERR_TAIL_BYTES = 32_768;
/** Between two looks at a folder that seems empty: rank 0 may have been faster. */
const SECOND_LOOK_MS = 1_000;
/** With the time that each try waits for an answer, about 20 s; the deadline then still holds. */
const STOP_TRIES_MAX = 8;
const STOP_AGAIN_MS = 500;
const KILLED: TaskExit = { reason: "killed", code: -1, message: "" };

export class TaskRunner {
  readonly key: TaskKey;
  readonly folder: TaskFolder;
  readonly #context: RunnerContext;
  readonly #abort = new AbortController();
  /** Steps that this rank was asked about; see `desiredChanged`. */
  readonly #askedSteps = new Set<number>();
  #record: TaskRecord;
  #dedupeAgainst: CheckpointRef | null;
  #isBusy = false;
  #isOver = false;
  #handle: SupervisorHandle | null = null;
  #watching: CheckpointWatching | null = null;
  #shipper: MetricShipper | null = null;
  #stopCommand: SupervisorCommand | null = null;
  #stopAskedAtUnixMs = Number.POSITIVE_INFINITY;
  #killReason: "killed" | "lease_expired" | null = null;

  constructor(folder: TaskFolder, record: TaskRecord, context: RunnerContext) {
    const { jobId, attempt, rank } = record.task;
    this.key = { jobId, attempt, rank };
    this.folder = folder;
    this.#record = record;
    this.#dedupeAgainst = record.task.dedupeAgainst;
    this.#context = context;
  }

  get task(): DesiredTask {
    return this.#record.task;
  }

  /** Whether metrics of it are still on their way to the tracker. */
  get isShipping(): boolean {
    return this.#shipper !== null && !this.#record.isShipped;
  }

  /** Environment of the task's command, also for its setup line and for terminals. */
  environment(): Readonly<Record<string, string>> {
    const rendezvous = this.#record.rendezvous ?? { host: "", port: 0 };
    return environmentOf(this.task, rendezvous, this.folder.paths(), this.#context.facts());
  }

  prepare(): Promise<void> {
    const { stateDir, ports } = this.#context;
    return this.#step(async () => {
      const exit = await prepare(this.task, this.folder, {
        stateDir,
        bundles: ports.bundles,
        checkpoints: ports.checkpoints,
        env: () => this.environment(),
        signal: this.#abort.signal,
        newId: ports.newId,
        begin: () => this.#save({}),
      });
      if (exit === null) this.#context.emit({ kind: "prepared", key: this.key });
      return exit;
    });
  }

  chooseRendezvous(): Promise<void> {
    return this.#step(async () => {
      const rendezvous = await chooseRendezvous(this.#context.facts().address);
      this.#context.emit({ kind: "rendezvous_chosen", key: this.key, rendezvous });
      return null;
    });
  }

  launch(rendezvous: Rendezvous): Promise<void> {
    return this.#step(async () => {
      this.#record = { ...this.#record, rendezvous };
      this.#write(() => this.folder.saveRendezvous(rendezvous));
      const facts = this.#context.facts();
      const paths = this.folder.paths();
      const answer = await this.#context.pool.launch({
        root: this.folder.root,
        argv: commandOf(this.task, rendezvous, paths, facts),
        cwd: this.folder.work,
        env: environmentOf(this.task, rendezvous, paths, facts),
        leaseFile: this.#context.leaseFile,
        cgroup: null,
        memoryMib: this.task.spec.perNode.memoryMib,
        isTorchrun: this.task.spec.command.kind === "torchrun",
      });
      if (answer.kind === "failed") return answer.exit;
      this.attend(answer.state);
      this.#context.emit({ kind: "launched", key: this.key });
      return null;
    });
  }

  /** Takes up a task that runs, or ran, under a supervisor; also one that an earlier agent started. */
  attend(state: SupervisorState): void {
    this.#handle = new SupervisorHandle(this.folder, state);
    this.#watchCheckpoints();
    this.#shipMetrics();
    this.#handle.watch((exit) => this.#over(this.#explain(exit)));
  }

  /** It is over, as this agent or an earlier one has seen; what it stored goes on. */
  conclude(exit: TaskExit): void {
    this.#watchCheckpoints();
    this.#shipMetrics();
    this.#over(this.#explain(exit));
  }

  /** Of a task that is over and forgotten: only what the tracker has not got yet. */
  shipRest(): void {
    this.#shipMetrics();
    this.#shipper?.finish();
  }

  async stop(order: StopOrder, signal: JobSpec["stopSignal"]): Promise<void> {
    const { reason, deadlineMs } = order;
    this.#stopAskedAtUnixMs = Math.min(this.#stopAskedAtUnixMs, Date.now());
    this.#stopCommand = { kind: "stop", reason, deadlineBootMs: deadlineMs, signal };
    await this.#sendStop(this.#stopCommand);
  }

  async kill(why: KillWhy): Promise<void> {
    this.#killReason = why === "lease_expired" ? "lease_expired" : "killed";
    this.#abort.abort();
    if (this.#handle !== null) await this.#handle.kill(this.#killReason);
    else if (!this.#isBusy) this.#over(KILLED);
  }

  /** Waits for uploads of what is complete; says `uploads_done` when through, or when time is up. */
  async flush(untilMs: number): Promise<void> {
    try {
      await this.#watching?.flush(Math.max(0, untilMs - bootMs()));
    } catch (error) {
      this.#context.ports.log.warn({ ...this.key, error: messageOf(error) }, "uploads failed");
    }
    this.#context.emit({ kind: "uploads_done", key: this.key });
  }

  async abandonUploads(): Promise<void> {
    await this.#stopWatching({ isOver: true });
  }

  /** What the scheduler wants of this task has changed in something else than run or stop. */
  desiredChanged(task: DesiredTask): void {
    this.#dedupeAgainst = task.dedupeAgainst;
    for (const step of task.gatheringSteps) {
      if (this.#askedSteps.has(step) || this.#watching === null) continue;
      this.#askedSteps.add(step);
      void this.#declareEmpty(step);
    }
  }

  /** The scheduler has recorded the end. Logs stay; what only the command needed goes. */
  async forget(): Promise<void> {
    await this.abandonUploads();
    this.#handle?.release();
    this.#save({ isForgotten: true });
    this.folder.dropScratch();
  }

  /** This agent ends; the task goes on. */
  async release(): Promise<void> {
    this.#handle?.release();
    this.#shipper?.stop();
    await this.#stopWatching({ isOver: false });
  }

  async #stopWatching(what: { readonly isOver: boolean }): Promise<void> {
    const watching = this.#watching;
    this.#watching = null;
    await watching?.stop(what);
  }

  /** Runs one step on the way to a process, and heeds what was asked meanwhile. */
  async #step(act: () => Promise<TaskExit | null>): Promise<void> {
    this.#isBusy = true;
    const exit = await act().catch((error: unknown) => this.#stepFailed(error));
    this.#isBusy = false;
    if (exit !== null) this.#over(exit);
    else if (this.#killReason !== null) await this.#killLate(this.#killReason);
    else if (this.#stopCommand !== null) await this.#sendStop(this.#stopCommand);
  }

  /**
   * Without a process yet, it is given when there is one. A supervisor on a machine that is too
   * busy to answer is asked again: else the task would learn of its end by being killed.
   */
  async #sendStop(command: SupervisorCommand): Promise<void> {
    for (let tries = 1; this.#handle !== null && !this.#isOver; tries += 1) {
      if (this.#stopCommand !== command || (await this.#handle.send(command))) return;
      if (tries === STOP_TRIES_MAX) throw new Error("the supervisor does not take the stop order");
      await sleep(STOP_AGAIN_MS, undefined, { ref: false });
    }
  }

  async #killLate(reason: "killed" | "lease_expired"): Promise<void> {
    if (this.#handle === null) this.#over(KILLED);
    else await this.#handle.kill(reason);
  }

  async #stepFailed(error: unknown): Promise<TaskExit> {
    // A launch may have got as far as a process before it failed.
    await killTask(this.folder.root, this.folder.supervisorState());
    return prepareFailure(error, this.folder);
  }

  #over(exit: TaskExit): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (exit.reason === "disk_full") this.#context.disk.noRoom();
    this.#save({ exit });
    // Also of a task that never ran: until all of its output is shipped, its folder stays.
    if (this.#shipper === null) this.#shipMetrics();
    this.#shipper?.finish();
    this.#context.emit({ kind: "exited", key: this.key, exit, nowMs: bootMs() });
  }

  #explain(exit: TaskExit): TaskExit {
    if (exit.message !== "") return exit;
    const isFailure = exit.code !== 0 && (exit.reason === "exited" || exit.reason === "signalled");
    if (!isFailure) return exit;
    const stderr = this.folder.tail("stderr", STDERR_TAIL_BYTES);
    if (this.key.rank === 0 && isPortTaken(stderr)) {
      const port = this.#record.rendezvous?.port ?? 0;
      const message = `another program took the rendezvous port ${port}; it is tried again`;
      return { ...exit, reason: "lost", message };
    }
    const workerError = readJson(join(this.folder.root, "error.json"));
    const message = exitMessage(workerError, stderr);
    if (!this.#context.disk.isToBlame(isNoSpace(`${message}\n${stderr}`))) {
      return { ...exit, message };
    }
    const noSpace = `no space left for ${this.folder.root}`;
    return { ...exit, reason: "disk_full", message: message || noSpace };
  }

  #watchCheckpoints(): void {
    const { spec } = this.task;
    this.#watching = this.#context.ports.checkpointWatch.start({
      ...this.key,
      dir: this.folder.checkpoints,
      patterns: spec.checkpoint.patterns,
      pidsOf: () => findMarked(TASK_MARKER, this.folder.root),
      dedupeAgainst: () => this.#dedupeAgainst,
      onStored: (part) => this.#stored(part),
    });
  }

  #stored(part: StoredPart): void {
    const isAfterStop = part.takenAtMs >= this.#stopAskedAtUnixMs;
    this.#context.emit({ kind: "part_stored", key: this.key, part, isAfterStop });
  }

  /**
   * Other ranks stored a part for this step. In DDP only rank 0 writes: a rank whose folder holds
   * no file at all says so, or the checkpoint would never be whole. One that has any file says
   * nothing, since a part of it may be on its way.
   */
  async #declareEmpty(step: number): Promise<void> {
    try {
      if (await hasFiles(this.folder.checkpoints)) return;
      await sleep(SECOND_LOOK_MS, undefined, { ref: false });
      if (await hasFiles(this.folder.checkpoints)) return;
      this.#stored({ step, takenAtMs: 0, digest: null, sizeBytes: 0, uploadedBytes: 0 });
    } catch (error) {
      this.#askedSteps.delete(step);
      this.#context.ports.log.warn({ ...this.key, step, error: messageOf(error) }, "no look");
    }
  }

  #shipMetrics(): void {
    if (this.key.rank !== 0 || this.#record.isShipped) return;
    this.#shipper = new MetricShipper(this.folder, this.task, this.#context.ports, () => {
      this.#save({ isShipped: true });
    });
    this.#shipper.start();
  }

  #save(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#write(() => this.folder.save(this.#record));
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isErrno(error, "ENOENT") && this.#record.exit === null) throw error;
      // The end must get out, full disk or not; a restarted agent then reads the supervisor's word.
      this.#context.ports.log.error({ ...this.key, error: messageOf(error) }, "task not saved");
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
