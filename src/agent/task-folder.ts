// Where a task's files are: <state-dir>/tasks/<job>/<attempt>-<rank>/. The folder is the agent's
// whole memory of a task, and its path is the marker of the task's processes.

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { jobId } from "../base/ids.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { Rendezvous, TaskExit } from "../scheduler/core/job.ts";
import type { TaskKey } from "./core/task-key.ts";
import type { TaskPaths } from "./core/torchrun.ts";
import { readJson, readTail, replaceFile } from "./files.ts";
import {
  parseExitFile,
  parseSupervisorState,
  type SupervisorState,
  TASK_FILES,
} from "./supervisor-protocol.ts";

/** `task.json`: what was asked, and what an end that no supervisor saw was. */
export interface TaskRecord {
  readonly task: DesiredTask;
  /** From before the start; first in `rendezvous.json`. */
  readonly rendezvous: Rendezvous | null;
  /** Set when the task is over for the agent; the supervisor's word is in `exit.json`. */
  readonly exit: TaskExit | null;
  /** The scheduler has recorded the end: nothing is to be reported any more. */
  readonly isForgotten: boolean;
  /** All metrics of its output are in the tracker, or there are none to come. */
  readonly isShipped: boolean;
}

export class TaskFolder {
  readonly root: string;

  constructor(stateDir: string, key: TaskKey) {
    this.root = join(stateDir, "tasks", key.jobId, `${key.attempt}-${key.rank}`);
  }

  file(name: keyof typeof TASK_FILES): string {
    return join(this.root, TASK_FILES[name]);
  }

  /** What only the command needed; its logs, checkpoints and record stay. */
  dropScratch(): void {
    for (const folder of [this.work, this.resume, join(this.root, "torchrun")]) {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The end of a file, for messages; empty when there is none. */
  tail(name: "stdout" | "stderr", bytes: number): string {
    return readTail(this.file(name), bytes);
  }

  get checkpoints(): string {
    return join(this.root, "checkpoints");
  }

  get work(): string {
    return join(this.root, "work");
  }

  get resume(): string {
    return join(this.root, "resume");
  }

  /** The folders that the command finds. `resume` appears only when something was restored. */
  paths(): TaskPaths {
    return {
      root: this.root,
      work: this.work,
      checkpoints: this.checkpoints,
      resume: existsSync(this.resume) ? this.resume : null,
      stopFile: this.file("stop"),
      torchrun: join(this.root, "torchrun"),
    };
  }

  make(): void {
    mkdirSync(this.checkpoints, { recursive: true });
    mkdirSync(this.work, { recursive: true });
  }

  /** Not synced: it is for a restart of the agent; after one of the machine no task lives. */
  save(record: TaskRecord): void {
    replaceFile(join(this.root, "task.json"), JSON.stringify(record));
  }

  /**
   * Before the command is started. A file of its own: to replace a file, however small, makes ext4
   * write out the new one at once, which takes milliseconds of a start while the disk is busy.
   */
  saveRendezvous(rendezvous: Rendezvous): void {
    replaceFile(this.#rendezvousFile, JSON.stringify(rendezvous));
  }

  /** Null when the folder holds no task of which anything can be said. */
  load(): TaskRecord | null {
    const record = parseRecord(readJson(join(this.root, "task.json")));
    if (record === null || record.rendezvous !== null) return record;
    return { ...record, rendezvous: parseRendezvous(readJson(this.#rendezvousFile)) };
  }

  get #rendezvousFile(): string {
    return join(this.root, "rendezvous.json");
  }

  supervisorState(): SupervisorState | null {
    return parseSupervisorState(readJson(this.file("state")));
  }

  exit(): TaskExit | null {
    return parseExitFile(readJson(this.file("exit")));
  }
}

/** Every task that has a folder here, in no particular order. */
export function listTaskKeys(stateDir: string): readonly TaskKey[] {
  return foldersIn(join(stateDir, "tasks")).flatMap((job) =>
    foldersIn(join(stateDir, "tasks", job)).flatMap((name) => {
      const match = /^(\d+)-(\d+)$/.exec(name);
      if (match === null) return [];
      return [{ jobId: jobId(job), attempt: Number(match[1]), rank: Number(match[2]) }];
    }),
  );
}

function foldersIn(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path).filter((name) => statSync(join(path, name)).isDirectory());
}

function parseRendezvous(value: unknown): Rendezvous | null {
  const known = value as Partial<Rendezvous> | null;
  if (typeof known?.host !== "string" || typeof known.port !== "number") return null;
  return { host: known.host, port: known.port };
}

function parseRecord(value: unknown): TaskRecord | null {
  const record = value as Partial<TaskRecord> | null;
  if (record?.task === undefined) return null;
  return {
    task: record.task,
    rendezvous: record.rendezvous ?? null,
    exit: record.exit ?? null,
    isForgotten: record.isForgotten ?? false,
    isShipped: record.isShipped ?? false,
  };
}
