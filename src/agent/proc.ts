// What /proc tells: who a process is, its children, whether it belongs to a task; and killing all of
// a task. Used by the supervisor too, so it imports nothing but Node and base.

import { readdirSync, readFileSync } from "node:fs";
import { constants, uptime } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** A pid alone is soon somebody else's: these three together never are. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks from boot to the process's start. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** Milliseconds since boot; goes on while the host sleeps, and no clock setting moves it. */
export function bootMs(): number {
  return Math.round(uptime() * 1_000);
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Null when there is no such process. A zombie counts as gone: it only waits to be collected. */
export function identify(pid: number): ProcessIdentity | null {
  const fields = statFields(pid);
  if (fields === null || fields.state === "Z") return null;
  return { pid, startTicks: fields.startTicks, bootId: bootId() };
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now?.startTicks === identity.startTicks && now.bootId === identity.bootId;
}

export function childrenOf(pid: number): readonly number[] {
  const text = readProc(`/proc/${pid}/task/${pid}/children`);
  return text === null ? [] : text.split(" ").filter(Boolean).map(Number);
}

/** Short name of the program, such as `bash`; empty when the process is gone. */
export function programOf(pid: number): string {
  return readProc(`/proc/${pid}/comm`)?.trim() ?? "";
}

/** Whether the process was started with `name` in its environment. False when it is gone. */
export function hasVariable(pid: number, name: string): boolean {
  const environ = readProc(`/proc/${pid}/environ`);
  return environ !== null && `\0${environ}`.includes(`\0${name}=`);
}

/** Whether the process has a handler of its own for the signal. */
export function catchesSignal(pid: number, name: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(readProc(`/proc/${pid}/status`) ?? "")?.[1];
  if (mask === undefined) return false;
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[name] - 1)) & 1n) === 1n;
}

/** Every live process that was started with `name=value` in its environment. */
export function findMarked(name: string, value: string): readonly number[] {
  const needle = `\0${name}=${value}\0`;
  return allPids().filter((pid) => {
    const environ = readProc(`/proc/${pid}/environ`);
    return environ !== null && `\0${environ}\0`.includes(needle) && identify(pid) !== null;
  });
}

/** Sends a signal; false when there is nobody to get it. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
}

export interface KillTarget {
  /** Leader of the task's process group; null when it is not known any more. */
  readonly leader: number | null;
  /** Environment variable that every process of the task carries. */
  readonly marker: { readonly name: string; readonly value: string };
  /** Called to end a cgroup, where there is one. */
  readonly killGroup: () => void;
}

/** Looks again until two looks in a row found nobody, since processes fork while they are killed. */
const KILL_ROUNDS_MAX = 250;
const KILL_ROUND_MS = 20;

/**
 * Kills all of a task: its group, its cgroup, and by the marker what had left both (torchrun starts
 * workers in sessions of their own). Returns how many were still there at the end: 0 unless some
 * process is stuck in the kernel.
 */
export async function killAll(target: KillTarget): Promise<number> {
  let quietRounds = 0;
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    if (target.leader !== null) signal(-target.leader, "SIGKILL");
    target.killGroup();
    const left = findMarked(target.marker.name, target.marker.value);
    for (const pid of left) signal(pid, "SIGKILL");
    quietRounds = left.length === 0 ? quietRounds + 1 : 0;
    if (quietRounds === 2) return 0;
    await sleep(quietRounds === 1 ? 1 : KILL_ROUND_MS);
  }
  return findMarked(target.marker.name, target.marker.value).length;
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function allPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function statFields(pid: number): { state: string; startTicks: number } | null {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The program's name stands in parentheses and may contain anything, also more of them.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", startTicks: Number(fields[19]) };
}

/** Null when the process is gone or not ours to look into. */
function readProc(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return null;
    throw error;
  }
}
