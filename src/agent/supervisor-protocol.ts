// What an agent and a supervisor say to each other, and what a supervisor leaves in its task's
// folder. Read by agents of other versions: fields are only ever added.

import type { TaskExit } from "../scheduler/core/job.ts";
import type { ProcessIdentity } from "./proc.ts";

/** Files in a task's folder, by name. */
export const TASK_FILES = {
  state: "state.json",
  exit: "exit.json",
  spare: "exit.spare.json",
  stdout: "stdout.log",
  stderr: "stderr.log",
  stop: "stop.json",
  socket: "supervisor.sock",
} as const;

/** The order that turns a waiting supervisor into that of one task: one line on its stdin. */
export interface LaunchOrder {
  /** The task's folder. */
  readonly root: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** File with the boot time in milliseconds until which the task may run; see `LeaseFile`. */
  readonly leaseFile: string;
  /** The supervisor's cgroup v2, which the task inherits and it then leaves; null = none. */
  readonly cgroup: string | null;
  /** Memory that the task may take, in MiB, where its cgroup can limit it; 0 = no limit. */
  readonly memoryMib: number;
  /** The command is torchrun: without workers there is nothing to save. */
  readonly isTorchrun: boolean;
}

/** Its one answer, a line on its stdout. */
export type LaunchAnswer =
  | { readonly kind: "started"; readonly state: SupervisorState }
  | { readonly kind: "failed"; readonly exit: TaskExit };

export interface SupervisorState {
  readonly process: ProcessIdentity;
  readonly supervisor: ProcessIdentity;
  readonly startedAtUnixMs: number;
  readonly cgroup: string | null;
}

export interface LeaseFile {
  readonly untilBootMs: number;
  readonly bootId: string;
}

/** One line each on the supervisor's socket. */
export type SupervisorCommand =
  | {
      readonly kind: "stop";
      readonly reason: string;
      readonly deadlineBootMs: number;
      readonly signal: "SIGTERM" | "SIGUSR1" | "SIGUSR2" | "SIGINT" | "none";
    }
  | { readonly kind: "kill"; readonly reason: "killed" | "lease_expired" };

/** For the training script, as `TRAINYARD_STOP_FILE`: a public format. */
export interface StopFile {
  readonly deadline_unix_ms: number;
  readonly reason: string;
}

export function parseLaunchOrder(line: string): LaunchOrder {
  return JSON.parse(line) as LaunchOrder;
}

export function parseLaunchAnswer(line: string): LaunchAnswer {
  return JSON.parse(line) as LaunchAnswer;
}

export function parseSupervisorCommand(line: string): SupervisorCommand {
  return JSON.parse(line) as SupervisorCommand;
}

export function parseLeaseFile(value: unknown): LeaseFile | null {
  const lease = value as Partial<LeaseFile> | null;
  if (typeof lease?.untilBootMs !== "number" || typeof lease.bootId !== "string") return null;
  return { untilBootMs: lease.untilBootMs, bootId: lease.bootId };
}

export function parseSupervisorState(value: unknown): SupervisorState | null {
  const state = value as Partial<SupervisorState> | null;
  if (state?.process === undefined || state.supervisor === undefined) return null;
  return {
    process: state.process,
    supervisor: state.supervisor,
    startedAtUnixMs: state.startedAtUnixMs ?? 0,
    cgroup: state.cgroup ?? null,
  };
}

export function parseExitFile(value: unknown): TaskExit | null {
  const exit = value as Partial<TaskExit> | null;
  if (exit?.reason === undefined || typeof exit.code !== "number") return null;
  return { reason: exit.reason, code: exit.code, message: exit.message ?? "" };
}
