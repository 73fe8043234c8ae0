// Schedulers and agents under test, as processes of their own, started as an operator starts them.

import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Connection } from "../../src/rpc/client.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import { endProcess, type Stage } from "./stage.ts";

/** The built program. */
export const MAIN = resolve(import.meta.dirname, "../../dist/main.js");
export const CALLER = { tenant: "default", user: "bench" } as const;

const READY_MS = 30_000;

export interface SchedulerProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** `host:port`. */
  readonly grpc: string;
  readonly connection: Connection;
  end(signal?: NodeJS.Signals): Promise<void>;
}

export interface SchedulerStart {
  /** Holds its data; on the same folder again it goes on where it was. */
  readonly dir: string;
  /** `host:port`; default: a free port. */
  readonly grpc?: string;
}

export async function startScheduler(
  stage: Stage,
  { dir, grpc = "127.0.0.1:0" }: SchedulerStart,
): Promise<SchedulerProcess> {
  const dataDir = join(dir, "scheduler");
  const endpoints = join(dataDir, "endpoints.json");
  await rm(endpoints, { force: true });
  const child = spawnTrainyard(stage, "scheduler", {
    "data-dir": dataDir,
    listen: grpc,
    "http-listen": "127.0.0.1:0",
    "object-store": `file://${join(dir, "objects")}`,
    "log-level": "error",
  });
  const address = await waitForAddress(endpoints, child);
  const connection = connect(address);
  stage.onClear(() => connection.close());
  return {
    child,
    pid: pidOf(child),
    grpc: address,
    connection,
    end: (signal) => endProcess(child, signal),
  };
}

export interface AgentStart {
  readonly dir: string;
  readonly name: string;
  readonly virtualGpus: number;
}

/** Does not wait until it has joined: see `waitForNodes`. Returns its process id. */
export function startAgent(stage: Stage, scheduler: SchedulerProcess, agent: AgentStart): number {
  const child = spawnTrainyard(stage, "agent", {
    scheduler: scheduler.grpc,
    name: agent.name,
    "state-dir": join(agent.dir, agent.name),
    "virtual-gpus": String(agent.virtualGpus),
    "metrics-listen": "off",
    "log-level": "error",
  });
  return pidOf(child);
}

/** Resolves once that many agents are connected. */
export async function waitForNodes(connection: Connection, count: number): Promise<void> {
  const { ListNodes } = decodeService("NodeService");
  await until(`${count} nodes`, async () => {
    const { nodes } = await connection.unary(ListNodes, {});
    return nodes.filter((node) => node.isConnected).length >= count;
  });
}

export function connect(address: string): Connection {
  return new Connection({ address, caller: CALLER, tls: null, timeoutMs: READY_MS });
}

/** Asks again and again; throws after half a minute. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const untilMs = performance.now() + READY_MS;
  while (!(await isSo())) {
    if (performance.now() > untilMs) throw new Error(`waited in vain for ${what}`);
    await pause(20);
  }
}

function spawnTrainyard(
  stage: Stage,
  command: string,
  flags: Readonly<Record<string, string>>,
): ChildProcess {
  const argv = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const stdio = ["ignore", "ignore", "inherit"] satisfies StdioOptions;
  return stage.own(spawn(process.execPath, [MAIN, command, ...argv], { stdio }));
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  return child.pid;
}

/** The file is there, whole, when the scheduler serves. Read often: a restart is being timed. */
async function waitForAddress(path: string, child: ChildProcess): Promise<string> {
  const untilMs = performance.now() + READY_MS;
  while (performance.now() < untilMs && child.exitCode === null) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.endsWith("}\n")) return parseAddress(text);
    await pause(2);
  }
  throw new Error(`the scheduler did not get ready: ${path} is not there`);
}

function parseAddress(text: string): string {
  const { grpc } = JSON.parse(text) as { readonly grpc?: unknown };
  if (typeof grpc !== "string") throw new Error(`endpoints.json names no grpc address: ${text}`);
  return grpc;
}
