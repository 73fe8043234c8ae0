// One task under supervision: starts it, stops it by the protocol, kills it when its lease ends, and
// leaves nothing of it behind but its files. Needs no agent while it does so. It must never decide
// that a task should run; only its order does.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TaskExit } from "../scheduler/core/job.ts";
import { killCgroup, limitMemory, outOfMemoryKills, removeCgroup } from "./cgroup.ts";
import { readJson, replaceFile, writeAtomic, writeOver } from "./files.ts";
import { bootId, bootMs, catchesSignal, identify, isErrno, killAll, signal } from "./proc.ts";
import {
  type LaunchAnswer,
  type LaunchOrder,
  parseLeaseFile,
  type StopFile,
  type SupervisorCommand,
  TASK_FILES,
} from "./supervisor-protocol.ts";
import { mainProcesses, workersBelow } from "./workers.ts";

/** From SIGTERM to the launcher at the deadline until SIGKILL to everything. */
const TERM_TO_KILL_MS = 4_000;
/** How often the clock and the lease are looked at; also bounds the delay after a suspend. */
const TICK_MS = 200;
/** Of a stop order: the workers have the time until its deadline for a last checkpoint. */
const REASONS_TO_SAVE: ReadonlySet<string> = new Set(["preempted", "time_limit"]);
/** Same as `TASK_MARKER` of core/torchrun.ts: this process loads as little as it can. */
const MARKER = "TRAINYARD_TASK";
const EXIT_RETRY_MS = 1_000;
/** More than an exit as JSON has. */
const SPARE_BYTES = 512;
const SIGNAL_EXIT_BASE = 128;

type StopCommand = Extract<SupervisorCommand, { kind: "stop" }>;

type Stage =
  | { readonly kind: "running" }
  | { readonly kind: "stopping"; readonly deadlineBootMs: number }
  /** `isLate`: it was given the time to end by itself, and has not. */
  | { readonly kind: "terminating"; readonly killAtBootMs: number; readonly isLate: boolean }
  /** `reason` null: its end is called what it looks like. */
  | { readonly kind: "killing"; readonly reason: "killed" | "lease_expired" | null };

export class Supervision {
  readonly #order: LaunchOrder;
  readonly #onExit: () => void;
  #child: ChildProcess | null = null;
  #stage: Stage = { kind: "running" };
  #ticker: NodeJS.Timeout | null = null;
  #leaseUntilMs = 0;
  #cgroup: string | null = null;
  /** Of a torchrun: it has gathered its gang. */
  #hasHadWorkers = false;

  constructor(order: LaunchOrder, onExit: () => void) {
    this.#order = order;
    this.#onExit = onExit;
  }

  /** Starts the command. Resolves once it is known to run, or why it does not. Never rejects. */
  async launch(): Promise<LaunchAnswer> {
    try {
      this.#limitMemory();
      const child = this.#spawn();
      this.#child = child;
      await startOf(child);
      const state = this.#writeState(child.pid ?? 0);
      writeOver(this.#file("spare"), " ".repeat(SPARE_BYTES));
      child.once("exit", (code, name) => {
        void this.#end(code, name);
      });
      this.#ticker = setInterval(() => this.#tick(), TICK_MS);
      return { kind: "started", state };
    } catch (error) {
      // It may run and yet have no state file (a full disk): then nobody could take it up again.
      await this.#sweep();
      return { kind: "failed", exit: this.#launchFailure(error) };
    }
  }

  /** From now on this cgroup holds the task alone, so that killing it does not kill the supervisor. */
  useCgroup(folder: string): void {
    this.#cgroup = folder;
  }

  obey(command: SupervisorCommand): void {
    if (command.kind === "stop") this.#stop(command);
    else this.#kill(command.reason);
  }

  #limitMemory(): void {
    const { cgroup, memoryMib } = this.#order;
    if (cgroup !== null && memoryMib > 0) limitMemory(cgroup, memoryMib * 1024 * 1024);
  }

  #spawn(): ChildProcess {
    const { argv, cwd, env } = this.#order;
    const stdout = openSync(this.#file("stdout"), "a", 0o640);
    const stderr = openSync(this.#file("stderr"), "a", 0o640);
    try {
      // Node writes to no pipe here: the descriptors are the task's own, in append mode, so that no
      // reader, however slow or dead, holds the training up, and no byte is lost.
      return spawn(argv[0] ?? "", argv.slice(1), {
        cwd,
        env: { ...env },
        detached: true,
        stdio: ["ignore", stdout, stderr],
      });
    } finally {
      closeSync(stdout);
      closeSync(stderr);
    }
  }

  #launchFailure(error: unknown): TaskExit {
    const { argv, cwd, root } = this.#order;
    const why = error instanceof Error ? error.message : String(error);
    let message = `cannot start ${argv[0]}: ${why}`;
    if (isErrno(error, "ENOENT")) message = `cannot start ${argv[0]}: no such program (in ${cwd})`;
    if (isErrno(error, "ENOSPC", "EDQUOT")) {
      return { reason: "disk_full", code: -1, message: `no space left for ${root}` };
    }
    return { reason: "prepare_failed", code: -1, message };
  }

  #writeState(pid: number): Extract<LaunchAnswer, { kind: "started" }>["state"] {
    // A command that is over already has no /proc entry, or is a zombie: its pid alone must do, and
    // the exit file says the rest.
    const gone = { pid, startTicks: 0, bootId: bootId() };
    const state = {
      process: identify(pid) ?? gone,
      supervisor: identify(process.pid) ?? { ...gone, pid: process.pid },
      startedAtUnixMs: Date.now(),
      cgroup: this.#order.cgroup,
    };
    // Not synced: after a crash of the machine the boot id differs, and nothing of it counts.
    replaceFile(this.#file("state"), JSON.stringify(state));
    return state;
  }

  #stop(command: StopCommand): void {
    if (this.#stage.kind === "terminating" || this.#stage.kind === "killing") return;
    const isFirst = this.#stage.kind === "running";
    const known = this.#stage.kind === "stopping" ? this.#stage.deadlineBootMs : Infinity;
    const deadlineBootMs = Math.min(known, command.deadlineBootMs);
    this.#stage = { kind: "stopping", deadlineBootMs };
    this.#writeStopFile(command.reason, deadlineBootMs);
    const isToSave = REASONS_TO_SAVE.has(command.reason);
    if (isFirst || !isToSave) this.#signalWorkers(command.signal, isToSave);
    this.#tick();
  }

  #writeStopFile(reason: string, deadlineBootMs: number): void {
    const left = deadlineBootMs - bootMs();
    const content: StopFile = { deadline_unix_ms: Date.now() + left, reason };
    try {
      replaceFile(this.#file("stop"), `${JSON.stringify(content)}\n`);
    } catch (error) {
      // A full disk must not keep the signal from the workers.
      console.error(`stop file of ${this.#order.root}:`, error);
    }
  }

  /**
   * A process that does not catch the signal would die of it, and what it has done since its last
   * checkpoint with it. While there is something to save, it is left to the stop file, or to its
   * next natural checkpoint.
   */
  #signalWorkers(name: StopCommand["signal"], isToSave: boolean): void {
    const top = this.#child?.pid;
    if (top === undefined) return;
    const workers = workersBelow(top);
    if (workers.length === 0 && this.#order.isTorchrun) {
      this.#stopLauncher(isToSave);
      return;
    }
    if (name === "none") return;
    const mains = workers.length > 0 ? workers : mainProcesses(top, name);
    for (const pid of mains) if (!isToSave || catchesSignal(pid, name)) signal(pid, name);
  }

  /**
   * A torchrun without workers: nobody is there to save or to read the stop file. Either it still
   * gathers the gang, or its own workers came to their good end and it waits, for minutes and deaf
   * to SIGTERM, for those of its peers. While there is something to save, these are on their way
   * out, and may need the store that it serves; else the peer that it waits for has mostly failed.
   */
  #stopLauncher(isToSave: boolean): void {
    if (isToSave && this.#hasHadWorkers) return;
    this.#terminate({ nowMs: bootMs(), isLate: false });
  }

  #tick(): void {
    const nowMs = bootMs();
    const stage = this.#stage;
    if (stage.kind === "killing") return;
    if (stage.kind === "running") this.#lookForWorkers();
    if (this.#isLeaseOver(nowMs)) this.#kill("lease_expired");
    else if (stage.kind === "stopping" && nowMs >= stage.deadlineBootMs)
      this.#terminate({ nowMs, isLate: true });
    else if (stage.kind === "terminating" && nowMs >= stage.killAtBootMs)
      this.#kill(stage.isLate ? "killed" : null);
  }

  #lookForWorkers(): void {
    const top = this.#child?.pid;
    if (!this.#order.isTorchrun || this.#hasHadWorkers || top === undefined) return;
    this.#hasHadWorkers = workersBelow(top).length > 0;
  }

  /** Reads the file only when what was read last is over. */
  #isLeaseOver(nowMs: number): boolean {
    if (nowMs < this.#leaseUntilMs) return false;
    this.#leaseUntilMs = this.#readLease();
    return nowMs >= this.#leaseUntilMs;
  }

  /** A file that is missing or torn is no lease: the agent writes it before its first order. */
  #readLease(): number {
    try {
      return parseLeaseFile(readJson(this.#order.leaseFile))?.untilBootMs ?? 0;
    } catch (error) {
      console.error(`lease file ${this.#order.leaseFile}:`, error);
      return 0;
    }
  }

  #terminate({ nowMs, isLate }: { readonly nowMs: number; readonly isLate: boolean }): void {
    this.#stage = { kind: "terminating", killAtBootMs: nowMs + TERM_TO_KILL_MS, isLate };
    const top = this.#child?.pid;
    if (top === undefined) return;
    for (const pid of mainProcesses(top, "SIGTERM")) signal(pid, "SIGTERM");
  }

  #kill(reason: "killed" | "lease_expired" | null): void {
    if (this.#stage.kind === "killing") return;
    this.#stage = { kind: "killing", reason };
    void this.#sweep();
  }

  async #sweep(): Promise<void> {
    const { root } = this.#order;
    const leader = this.#child?.pid ?? null;
    const marker = { name: MARKER, value: root };
    const left = await killAll({ leader, marker, killGroup: () => killCgroup(this.#cgroup) });
    if (left > 0) console.error(`${left} processes of ${root} cannot be killed`);
    removeCgroup(this.#cgroup);
  }

  /** The command is over: so is everything that it left behind. Only then is the end written. */
  async #end(code: number | null, name: NodeJS.Signals | null): Promise<void> {
    if (this.#ticker !== null) clearInterval(this.#ticker);
    const isAsked = this.#stage.kind !== "running";
    const message = isAsked || code === 0 ? "" : this.#outOfMemory();
    await this.#sweep();
    await this.#writeExit({ ...exitOf(this.#stage, code, name), message });
    this.#onExit();
  }

  /** Before the cgroup goes, and with it what it counted. */
  #outOfMemory(): string {
    const { cgroup, memoryMib } = this.#order;
    if (cgroup === null || memoryMib === 0 || outOfMemoryKills(cgroup) === 0) return "";
    const what = `it took more than the ${memoryMib} MiB of memory that it asked for`;
    return `${what}: ask for more with --memory, or use less (fewer data loader workers)`;
  }

  /** A full disk keeps the end waiting, not for ever unknown. */
  async #writeExit(exit: TaskExit): Promise<void> {
    for (;;) {
      try {
        this.#writeExitOnce(JSON.stringify(exit));
        return;
      } catch (error) {
        // The folder is gone: the task was forgotten, nobody waits for its end.
        if (isErrno(error, "ENOENT")) return;
        console.error(`exit file of ${this.#order.root}:`, error);
        await sleep(EXIT_RETRY_MS);
      }
    }
  }

  /** On a full disk into the room that was taken at the start: who filled it may be this task. */
  #writeExitOnce(content: string): void {
    const [exit, spare] = [this.#file("exit"), this.#file("spare")];
    try {
      writeAtomic(exit, content);
      rmSync(spare, { force: true });
    } catch (error) {
      if (!isErrno(error, "ENOSPC", "EDQUOT")) throw error;
      writeOver(spare, content);
      renameSync(spare, exit);
    }
  }

  #file(name: keyof typeof TASK_FILES): string {
    return join(this.#order.root, TASK_FILES[name]);
  }
}

function exitOf(stage: Stage, code: number | null, name: NodeJS.Signals | null): TaskExit {
  const number = code ?? SIGNAL_EXIT_BASE + constants.signals[name ?? "SIGKILL"];
  return {
    reason: reasonOf(stage) ?? (code === null ? "signalled" : "exited"),
    code: number,
    message: "",
  };
}

/** Null when nobody ended it against its will. */
function reasonOf(stage: Stage): "killed" | "lease_expired" | null {
  if (stage.kind === "killing") return stage.reason;
  return stage.kind === "terminating" && stage.isLate ? "killed" : null;
}

/** Rejects with why there is no process. */
function startOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
}
