// One cgroup v2 for each task where that is permitted: its kill reaches every process, also those
// that left the session and cleared their environment. Where it is not, null: then the process
// group and the marker do.

import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isErrno } from "./proc.ts";

/** The folder in which this agent may make cgroups, or null. `name` tells agents apart. */
export function openCgroupParent(name: string): string | null {
  try {
    const own = ownCgroup();
    if (own === null) return null;
    const parent = join(own, name);
    mkdirSync(parent, { recursive: true });
    // Before Linux 5.14 there is no `cgroup.kill`, and without it a cgroup is of no use here.
    accessSync(join(parent, "cgroup.kill"), constants.W_OK);
    return parent;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "EPERM", "EROFS", "EBUSY", "ENOTDIR")) return null;
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
