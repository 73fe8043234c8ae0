// Starts `trainyard up` as a process of its own and ends it again with all that it started.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = join(ROOT, "dist/main.js");
const READY_MS = 60_000;
const STOP_MS = 30_000;

export interface Addresses {
  /** `host:port`. */
  readonly grpc: string;
  readonly http: string;
}

export interface RunningCluster extends Addresses {
  readonly logFile: string;
  readonly pid: number;
  stop(): Promise<void>;
  /** Lets it run on when this process ends. */
  leave(): void;
}

export async function startCluster(options: {
  readonly dir: string;
  readonly agents: number;
  readonly virtualGpus: number;
  readonly queuesFile: string;
  readonly python: string;
}): Promise<RunningCluster> {
  await mkdir(options.dir, { recursive: true });
  const logFile = join(options.dir, "up.log");
  const flags = {
    agents: options.agents,
    "virtual-gpus": options.virtualGpus,
    dir: options.dir,
    port: 0,
    "http-port": 0,
    "queues-file": options.queuesFile,
    python: options.python,
  };
  const argv = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const log = createWriteStream(logFile);
  await new Promise((opened) => log.once("open", opened));
  // Its own session: a Ctrl-C here reaches it through `stop`, in order. Its output goes to a file, so
  // that it can outlive this process.
  const child = spawn(process.execPath, [MAIN, "up", ...argv], {
    stdio: ["ignore", log, log],
    detached: true,
  });
  log.close();
  // It must not outlive a start that failed: this process would wait for it.
  const addresses = await ready(child, options.dir, logFile).catch(async (error: unknown) => {
    await stop(child);
    throw error;
  });
  return {
    ...addresses,
    logFile,
    pid: child.pid ?? 0,
    stop: () => stop(child),
    leave: () => child.unref(),
  };
}

/** `up` writes cluster.json when every agent has registered. */
async function ready(child: ChildProcess, dir: string, logFile: string): Promise<Addresses> {
  const path = join(dir, "cluster.json");
  const untilMs = Date.now() + READY_MS;
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) {
      const said = await readFile(logFile, "utf8");
      throw new Error(`The cluster did not start (exit ${child.exitCode}):\n${said.trim()}`);
    }
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return parseAddresses(text);
    await pause(50);
  }
  throw new Error(`The cluster was not ready after ${READY_MS / 1000} s; its log is ${logFile}.`);
}

function parseAddresses(text: string): Addresses {
  const { grpc, http } = JSON.parse(text) as Addresses;
  return { grpc, http };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(kill);
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Runs one CLI command to its end and returns what it printed. Throws with its words if it failed. */
export async function cli(server: string, argv: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TRAINYARD_SERVER: server },
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number>((done) => child.once("close", (c) => done(c ?? 1)));
  const text = Buffer.concat(out).toString("utf8");
  if (code === 0) return text;
  const said = Buffer.concat(err).toString("utf8").trim();
  throw new Error(`trainyard ${argv.join(" ")} ended with ${code}: ${said || text.trim()}`);
}
