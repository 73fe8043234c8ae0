// One task's process group under its supervisor, as one thing: the two outlive the agent together. The
// supervisor ends the task when the machine's lease does, and carries a stop out by itself.

import type { Prng } from "../base/prng.ts";
import type { TaskKey } from "../agent/core/task-key.ts";
import type { TaskExit } from "../scheduler/core/job.ts";
import type { HostClock } from "./host-clock.ts";
import type { Network } from "./network.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Gang, Member } from "./training.ts";

/** From the polite signal at the deadline until the end of everything. */
const TERM_TO_KILL_MS = 4_000;
/** How often a supervisor looks at the clock. */
const TICK_MS = 500;
const KILL_MS = 20;
const SLOW_KILL_MS_MAX = 1_500;
const SIGKILLED = 137;

/** What a process needs of its machine. */
export interface Home {
  readonly name: string;
  readonly clock: HostClock;
  readonly network: Network;
  readonly sabotage: Sabotage;
  readonly isSuspended: boolean;
  leaseLeftMs(): number;
  after(delayMs: number, run: () => void): void;
  checkpointWritten(key: TaskKey, step: number): void;
  processEnded(process: Process): void;
}

export class Process implements Member {
  readonly key: TaskKey;
  readonly gpus: readonly number[];
  readonly machine: Home;
  /** Set once the process is gone. */
  exit: TaskExit | null = null;
  /** Woke up on a machine that slept through its lease: being killed, counts as dead by then. */
  isPastLease = false;
  /** Has begun to end by itself. */
  isLeaving = false;
  private readonly gang: Gang;
  private readonly prng: Prng;
  private killing: "killed" | "lease_expired" | null = null;
  private isTerminating = false;
  private deadlineBootMs = Infinity;

  constructor(
    options: { readonly key: TaskKey; readonly gpus: readonly number[]; readonly gang: Gang },
    machine: Home,
    prng: Prng,
  ) {
    this.key = options.key;
    this.gpus = options.gpus;
    this.gang = options.gang;
    this.machine = machine;
    this.prng = prng;
  }

  get isOver(): boolean {
    return this.exit !== null;
  }

  /** Its supervisor has an order to stop it: the stop file lies in its folder. */
  get isToldToStop(): boolean {
    return this.deadlineBootMs !== Infinity;
  }

  get isFrozen(): boolean {
    return this.machine.isSuspended;
  }

  /** Looks at the lease at each tick near its end; the agent moves the end on by rewriting a file. */
  watchLease(): void {
    if (this.isOver || !this.machine.sabotage.supervisorHoldsLease) return;
    const leftMs = this.machine.leaseLeftMs();
    if (leftMs <= 0) return this.kill("lease_expired");
    this.machine.after(leftMs + this.prng.below(TICK_MS), () => this.watchLease());
  }

  stop(deadlineBootMs: number): void {
    if (this.isOver || this.killing !== null || this.isTerminating) return;
    const isFirst = this.deadlineBootMs === Infinity;
    this.deadlineBootMs = Math.min(this.deadlineBootMs, deadlineBootMs);
    this.watchDeadline();
    if (isFirst) this.gang.stopAsked(this);
  }

  kill(reason: "killed" | "lease_expired"): void {
    if (this.isOver || this.killing !== null) return;
    this.killing = reason;
    const isSlow = this.prng.chance(this.machine.network.faults.slowKill, 1_000);
    const delayMs = KILL_MS + this.prng.below(isSlow ? SLOW_KILL_MS_MAX : KILL_MS);
    this.machine.after(delayMs, () => this.end(SIGKILLED));
  }

  /** The process comes to an end by itself, in a moment. */
  exitSoon(delayMs: number, code: number): void {
    if (this.isOver || this.isLeaving) return;
    this.isLeaving = true;
    this.machine.after(delayMs, () => this.end(code));
  }

  /** The training script has finished writing a checkpoint. */
  saved(step: number): void {
    if (!this.isOver) this.machine.checkpointWritten(this.key, step);
  }

  /** The machine is gone, and the process with it. */
  vanish(): void {
    if (this.isOver) return;
    this.exit = { reason: "lost", code: -1, message: "the machine went down" };
    this.gang.memberGone();
  }

  private watchDeadline(): void {
    const leftMs = this.deadlineBootMs - this.machine.clock.bootMs();
    this.machine.after(leftMs + this.prng.below(TICK_MS), () => {
      if (this.isOver || this.killing !== null || this.isTerminating) return;
      if (this.machine.clock.bootMs() < this.deadlineBootMs) return;
      this.isTerminating = true;
      this.machine.after(TERM_TO_KILL_MS, () => this.kill("killed"));
    });
  }

  private end(code: number): void {
    if (this.isOver) return;
    this.exit = { reason: this.endReason(code), code, message: "" };
    this.gang.memberGone();
    this.machine.processEnded(this);
  }

  private endReason(code: number): TaskExit["reason"] {
    if (this.killing !== null) return this.killing;
    if (this.isTerminating) return "killed";
    return code > 128 ? "signalled" : "exited";
  }
}
