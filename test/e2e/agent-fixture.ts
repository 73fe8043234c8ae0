// Worlds for the agent's tests with real processes: folders, orders, waiting for a condition.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jobId } from "../../src/base/ids.ts";
import { inheritedEnv, TASK_MARKER } from "../../src/agent/core/torchrun.ts";
import { replaceFile } from "../../src/agent/files.ts";
import { bootId, bootMs, findMarked, signal } from "../../src/agent/proc.ts";
import { SupervisorHandle } from "../../src/agent/supervisor-handle.ts";
import { SupervisorPool, supervisorCommand } from "../../src/agent/supervisor-pool.ts";
import type { LaunchAnswer } from "../../src/agent/supervisor-protocol.ts";
import { TaskFolder } from "../../src/agent/task-folder.ts";
import type { TaskExit } from "../../src/scheduler/core/job.ts";

/** Polls until `look` gives something; says what it waited for when it does not. */
export async function waitFor<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await sleep(10);
  }
}

export function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** A Python that has torch, or an error that says how to get one. */
export function pythonWithTorch(): string {
  const local = resolve(".venv/bin/python");
  const python = process.env["TRAINYARD_TEST_PYTHON"] ?? (existsSync(local) ? local : "python3");
  try {
    execFileSync(python, ["-c", "import torch"], { stdio: "pipe" });
    return python;
  } catch (error) {
    const hint = "set TRAINYARD_TEST_PYTHON to an interpreter that can import torch";
    throw new Error(`${python} cannot import torch: ${hint}`, { cause: error });
  }
}

interface LaunchOptions {
  readonly isTorchrun?: boolean;
  readonly cwd?: string;
  readonly memoryMib?: number;
}

/** A state folder with one supervised task in it, and the means to end everything of it. */
export class TaskWorld {
  readonly stateDir = mkdtempSync(join(tmpdir(), "ty-agent-"));
  readonly folder = new TaskFolder(this.stateDir, { jobId: jobId("job-1"), attempt: 1, rank: 0 });
  readonly leaseFile = join(this.stateDir, "lease.json");
  readonly pool: SupervisorPool;

  constructor(cgroupParent: string | null = null) {
    const command = supervisorCommand();
    this.pool = new SupervisorPool({ stateDir: this.stateDir, cgroupParent, command });
    this.folder.make();
    this.lease(600_000);
  }

  lease(forMs: number): void {
    const lease = { untilBootMs: bootMs() + forMs, bootId: bootId() };
    replaceFile(this.leaseFile, JSON.stringify(lease));
  }

  launch(argv: readonly string[], options: LaunchOptions = {}) {
    return this.pool.launch({
      root: this.folder.root,
      argv,
      cwd: options.cwd ?? this.folder.work,
      env: {
        ...inheritedEnv(process.env),
        [TASK_MARKER]: this.folder.root,
        TRAINYARD_STOP_FILE: this.folder.file("stop"),
        TRAINYARD_CHECKPOINT_DIR: this.folder.checkpoints,
        OMP_NUM_THREADS: "1",
        PYTHONUNBUFFERED: "1",
      },
      leaseFile: this.leaseFile,
      cgroup: null,
      memoryMib: options.memoryMib ?? 0,
      isTorchrun: options.isTorchrun ?? false,
    });
  }

  /** Launches, and fails when the command did not start. */
  async start(argv: readonly string[], options: LaunchOptions = {}) {
    const answer: LaunchAnswer = await this.launch(argv, options);
    if (answer.kind === "failed") throw new Error(answer.exit.message);
    return { state: answer.state, handle: new SupervisorHandle(this.folder, answer.state) };
  }

  exited(limitMs = 60_000): Promise<TaskExit> {
    return waitFor("the task's exit file", () => this.folder.exit(), limitMs);
  }

  output(): string {
    return readText(this.folder.file("stdout"));
  }

  processes(): readonly number[] {
    return findMarked(TASK_MARKER, this.folder.root);
  }

  end(): void {
    this.pool.stop();
    const supervisor = this.folder.supervisorState()?.supervisor.pid;
    if (supervisor !== undefined) signal(supervisor, "SIGKILL");
    for (const pid of this.processes()) signal(pid, "SIGKILL");
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ty-${name}-`));
  mkdirSync(folder, { recursive: true });
  return folder;
}
