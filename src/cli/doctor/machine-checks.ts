// What this machine offers: Node, disk, shared memory, limits, cgroups, ports.

import { access, constants, readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { splitAddress } from "../../config/listen-rules.ts";
import { roughBytes } from "../wire.ts";
import type { Check, CheckResult } from "./check.ts";
import { notOk, ok } from "./check.ts";

const NODE_MAJOR_MIN = 20;

export function nodeCheck(version: string): Check {
  return async () => {
    const major = Number(version.replace(/^v/, "").split(".")[0]);
    if (major >= NODE_MAJOR_MIN) return ok("node", version);
    return notOk("node", "fail", `${version} is too old`, "Install Node 20.19 or newer.");
  };
}

/** Magic numbers of file systems on which LMDB's locks and memory maps do not hold. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
  [0x01021997, "9p"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
]);
const FREE_BYTES_MIN = 2 * 2 ** 30;

/** The folder must be writable, on a local disk, with room. It is looked at, not made. */
export function dataFolderCheck(name: string, folder: string): Check {
  return async () => {
    const present = await nearestFolder(folder);
    const isWritable = await access(present, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!isWritable) {
      const remedy = "Make it writable, or name another folder with --data-dir or --state-dir.";
      return notOk(name, "fail", `${present} is not writable`, remedy);
    }
    const stats = await statfs(present);
    const network = NETWORK_FILE_SYSTEMS.get(stats.type);
    if (network !== undefined) {
      const remedy = "Name a folder on a local disk: LMDB needs one.";
      return notOk(name, "fail", `${present} lies on ${network}`, remedy);
    }
    const freeBytes = stats.bavail * stats.bsize;
    const text = `${folder}, ${roughBytes(freeBytes)} free`;
    if (freeBytes >= FREE_BYTES_MIN) return ok(name, text);
    return notOk(name, "warn", text, `Keep at least ${roughBytes(FREE_BYTES_MIN)} free.`);
  };
}

async function nearestFolder(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere || path === dirname(path)) return path;
  }
}

const SHM_BYTES_MIN = 2 ** 30;

export async function sharedMemoryCheck(): Promise<CheckResult> {
  const stats = await statfs("/dev/shm");
  const bytes = stats.blocks * stats.bsize;
  if (bytes >= SHM_BYTES_MIN) return ok("shm", `/dev/shm has ${roughBytes(bytes)}`);
  const remedy = "Data loaders and NCCL use it: mount it larger (in a container, --shm-size).";
  return notOk("shm", "warn", `/dev/shm has only ${roughBytes(bytes)}`, remedy);
}

const OPEN_FILES_MIN = 4096;

/** The limits of this very process, as the kernel tells them. */
export async function limitsCheck(): Promise<CheckResult> {
  const text = await readFile("/proc/self/limits", "utf8");
  const files = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? 0);
  const locked = /^Max locked memory\s+(\S+)/m.exec(text)?.[1] ?? "unknown";
  const lockedText = locked === "unlimited" ? locked : roughBytes(Number(locked));
  const found = `open files ${files}, locked memory ${lockedText}`;
  if (files >= OPEN_FILES_MIN) return ok("limits", found);
  return notOk(
    "limits",
    "warn",
    found,
    `Raise open files (ulimit -n) to ${OPEN_FILES_MIN} or more.`,
  );
}

export async function cgroupCheck(): Promise<CheckResult> {
  const controllers = await readFile("/sys/fs/cgroup/cgroup.controllers", "utf8").catch(() => null);
  if (controllers === null) {
    const remedy = "Not needed: without it, process groups are used, and memory is not accounted.";
    return notOk("cgroup", "warn", "cgroup v2 is not mounted", remedy);
  }
  const own = (await readFile("/proc/self/cgroup", "utf8")).trim().split("::").at(-1) ?? "/";
  const isDelegated = await access(`/sys/fs/cgroup${own}/cgroup.procs`, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isDelegated) return ok("cgroup", `v2, ${own} is ours to divide`);
  const remedy = "Let systemd delegate it (Delegate=yes); process groups are used otherwise.";
  return notOk("cgroup", "warn", `v2, but ${own} is not writable`, remedy);
}

/** Free, or taken by a scheduler that answers there. */
export function portCheck(name: string, address: string, isServing: () => boolean): Check {
  return async () => {
    const code = await bindError(address);
    if (code === null) return ok(name, `${address} is free`);
    if (code === "EADDRINUSE" && isServing())
      return ok(name, `${address} is the running scheduler`);
    const remedy = "Name another port, or end what listens there.";
    return notOk(name, "warn", `${address} can't be listened on: ${code}`, remedy);
  };
}

function bindError(address: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(splitAddress(address), () => server.close(() => resolve(null)));
  });
}
