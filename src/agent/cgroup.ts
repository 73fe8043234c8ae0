// One cgroup v2 for each task where that is permitted: its kill reaches every process, also those
// that left the session and cleared their environment, and its memory is limited to what the job asked
// for. Where it is not, null: then the process group and the marker do, and memory has no limit. Only
// v2 is used: v1 has no kill, and a task would need a cgroup in each of its hierarchies.

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isErrno } from "./proc.ts";

/** The folder in which this agent may make cgroups, or null. `name` tells agents apart. */
export function openCgroupParent(name: string): string | null {
  try {
    const own = ownCgroup();
    if (own === null) return null;
    const base = delegatedBy(own);
    const parent = join(base, name);
    mkdirSync(parent, { recursive: true });
    // Before Linux 5.14 there is no `cgroup.kill`, and without it a cgroup is of no use here.
    accessSync(join(parent, "cgroup.kill"), constants.W_OK);
    for (const folder of [base, parent]) divideMemory(folder);
    return parent;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "EPERM", "EROFS", "EBUSY", "ENOTDIR")) return null;
    throw error;
  }
}

/**
 * Of a systemd unit, its own cgroup: all below is the unit's to divide, and with `DelegateSubgroup=`
 * its processes begin one level further down, where they keep no controller from the rest.
 */
export function delegatedBy(own: string): string {
  return /\.(service|scope)\/[^/]+$/.test(own) ? dirname(own) : own;
}

/** From now on the cgroups below can limit memory; where processes are in this one, they can't. */
function divideMemory(folder: string): void {
  try {
    writeFileSync(join(folder, "cgroup.subtree_control"), "+memory");
  } catch (error) {
    if (!isErrno(error, "ENOENT", "EACCES", "EPERM", "EROFS", "EBUSY", "EINVAL", "EOPNOTSUPP"))
      throw error;
  }
}

/**
 * Limits what the processes in a cgroup take from now on, beside what it has been charged already:
 * the supervisor that waits in it. False when memory is not accounted here.
 */
export function limitMemory(folder: string, limitBytes: number): boolean {
  try {
    const chargedBytes = Number(readFileSync(join(folder, "memory.current"), "utf8"));
    writeFileSync(join(folder, "memory.max"), String(limitBytes + chargedBytes));
    // A task that swaps would hold its gang up instead of ending. Not everywhere is there swap.
    const swap = join(folder, "memory.swap.max");
    if (existsSync(swap)) writeFileSync(swap, "0");
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "EPERM", "EROFS")) return false;
    throw error;
  }
}

/** How many processes in a cgroup were killed since they took more memory than its limit. */
export function outOfMemoryKills(folder: string): number {
  try {
    const events = readFileSync(join(folder, "memory.events"), "utf8");
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENODEV", "EACCES")) return 0;
    throw error;
  }
}

/** Folder of the cgroup v2 that this process is in; null where there is no such hierarchy. */
export function ownCgroup(): string | null {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const mount = mounts
    .map((line) => line.split(" "))
    .find((fields) => fields[2] === "cgroup2")?.[1];
  const own = readFileSync("/proc/self/cgroup", "utf8").match(/^0::(.*)$/m)?.[1];
  return mount === undefined || own === undefined ? null : join(mount, own);
}

/** Makes a cgroup and moves this process into it. False when that is not permitted. */
export function enterCgroup(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "EROFS", "EAGAIN", "ENOSPC", "ENOENT")) return false;
    throw error;
  }
  return joinCgroup(folder, process.pid);
}

/** Moves a process. False when that is not permitted. Takes milliseconds: not on a hot path. */
export function joinCgroup(folder: string, pid: number): boolean {
  try {
    writeFileSync(join(folder, "cgroup.procs"), String(pid));
    return true;
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "ENOENT", "EBUSY", "ESRCH", "EOPNOTSUPP")) return false;
    throw error;
  }
}

export function killCgroup(folder: string | null): void {
  if (folder === null) return;
  try {
    writeFileSync(join(folder, "cgroup.kill"), "1");
  } catch (error) {
    // Already removed: nobody is in it.
    if (!isErrno(error, "ENOENT", "ENODEV")) throw error;
  }
}

export function removeCgroup(folder: string | null): void {
  if (folder === null) return;
  try {
    rmdirSync(folder);
  } catch (error) {
    // Busy for a moment after the last process went; an empty one left behind costs nothing.
    if (!isErrno(error, "ENOENT", "EBUSY", "ENOTEMPTY")) throw error;
  }
}
