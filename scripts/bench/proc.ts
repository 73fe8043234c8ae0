// What processes cost, from /proc. Linux only, as Trainyard is.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** The kernel tells CPU time in this unit on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Resident memory in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
}

/** Part of one core that the process uses during `ms`, user and system. */
export async function cpuShare(pid: number, ms: number): Promise<number> {
  const before = cpuSeconds(pid);
  const startedMs = performance.now();
  await pause(ms);
  return (cpuSeconds(pid) - before) / ((performance.now() - startedMs) / 1_000);
}

/** Child processes whose command line has `part` in it. */
export function childrenOf(parent: number, part: string): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    if (stat === "" || Number(statFields(stat)[1]) !== parent) return [];
    return readOrEmpty(`/proc/${pid}/cmdline`).includes(part) ? [Number(pid)] : [];
  });
}

/** Used so far, user and system. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(readFileSync(`/proc/${pid}/stat`, "utf8"));
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** From the third on: the second, the program's name, may hold anything. */
function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Processes come and go while the list is read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
