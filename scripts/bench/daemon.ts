// Daemons under test, as processes of their own, and what they cost.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Connection } from "../../src/rpc/client.ts";

const MAIN = resolve(import.meta.dirname, "../../dist/main.js");
const TICKS_PER_SECOND = 100;

export interface Daemon {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly grpc: string;
  readonly dir: string;
  connect(): Connection;
  /** Ends it and waits for that. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

export const tempDir = (): Promise<string> => mkdtemp(join(tmpdir(), "trainyard-bench-"));
export const removeDir = (dir: string): Promise<void> => rm(dir, { recursive: true, force: true });
export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** A scheduler on free ports; on the same folder again it goes on where it was. */
export async function startScheduler(dir: string, flags: readonly string[] = []): Promise<Daemon> {
  const dataDir = join(dir, "scheduler");
  const endpoints = join(dataDir, "endpoints.json");
  await rm(endpoints, { force: true });
  const listen = ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];
  const child = run(["scheduler", ...listen, "--data-dir", dataDir, ...flags]);
  const { grpc } = await waitForJson<{ grpc: string }>(endpoints, child);
  return daemon(child, grpc, dir);
}

export function startAgent(
  scheduler: Daemon,
  name: string,
  virtualGpus: number,
  python = "python3",
): Daemon {
  const flags = {
    scheduler: scheduler.grpc,
    name,
    "state-dir": join(scheduler.dir, name),
    "virtual-gpus": virtualGpus,
    "metrics-listen": "off",
    "log-level": "warn",
    python,
  };
  const argv = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return daemon(run(["agent", ...argv]), scheduler.grpc, scheduler.dir);
}

function run(argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...argv], { stdio: ["ignore", "ignore", "inherit"] });
}

function daemon(child: ChildProcess, grpc: string, dir: string): Daemon {
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  return {
    child,
    pid: child.pid ?? 0,
    grpc,
    dir,
    connect: () =>
      new Connection({
        address: grpc,
        caller: { tenant: "default", user: "bench" },
        tls: null,
        timeoutMs: 60_000,
      }),
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      await exited;
    },
  };
}

/** Reads a JSON file as soon as it is there and whole. */
export async function waitForJson<T>(path: string, child: ChildProcess): Promise<T> {
  const untilMs = Date.now() + 60_000;
  while (Date.now() < untilMs && child.exitCode === null) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.endsWith("}\n")) return JSON.parse(text) as T;
    await pause(2);
  }
  throw new Error(`${path} did not appear`);
}

/** Resident memory in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024) / 1e6;
}

/** CPU seconds that the process has used so far, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Part of one core that the process used during `ms`. */
export async function cpuShare(pid: number, ms: number): Promise<number> {
  const before = cpuSeconds(pid);
  const started = performance.now();
  await pause(ms);
  return (cpuSeconds(pid) - before) / ((performance.now() - started) / 1000);
}
