// `trainyard up`: a scheduler in this process and agents as processes of their own, on one machine.
// When it ends, so do they and their tasks.

import { type ChildProcess, fork } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "./base/errors.ts";
import type { AgentOptions } from "./config/agent-options.ts";
import type { UpOptions } from "./config/up-options.ts";
import { announce } from "./agent/files.ts";
import { findGpus } from "./agent/gpu-probe.ts";
import { createLogger } from "./obs/log.ts";
import { type RunningScheduler, startScheduler } from "./wire-scheduler.ts";

const AGENTS_READY_MS = 30_000;
/** Agents end their tasks first, so this is longer than a task's last moments take. */
const AGENTS_STOP_MS = 20_000;
const GPUS_WHERE_NONE = 4;
const LEASE_MS = 15_000;
const HEARTBEAT_MS = 3_000;

/** Resolves to the exit code once the signal is aborted and nothing of the cluster is left. */
export async function runUp(options: UpOptions, signal: AbortSignal): Promise<number> {
  await mkdir(options.dir, { recursive: true });
  const clusterFile = join(options.dir, "cluster.json");
  await rm(clusterFile, { force: true });
  const scheduler = await startScheduler(schedulerOptions(options));
  const agents: ChildProcess[] = [];
  try {
    const virtualGpus = await gpusToPretend(options);
    for (let n = 1; n <= options.agents; n += 1) {
      agents.push(startAgent(agentOptions(options, scheduler.grpc, `node-${n}`, virtualGpus)));
    }
    await allJoined(scheduler, options.agents, agents, signal);
    const { grpc, http } = scheduler;
    announce(clusterFile, `${JSON.stringify({ grpc, http, pid: process.pid })}\n`);
    sayReady(options, scheduler);
    return await untilEnd(scheduler, agents, signal);
  } finally {
    await rm(clusterFile, { force: true });
    await Promise.all(agents.map(stopAgent));
    await scheduler.stop();
  }
}

function schedulerOptions(options: UpOptions): Parameters<typeof startScheduler>[0] {
  const { dir, port, httpPort, policyFile, queuesFile, logLevel, objectStore } = options;
  const dataDir = join(dir, "scheduler");
  return {
    listen: `127.0.0.1:${port}`,
    httpListen: `127.0.0.1:${httpPort}`,
    dataDir,
    objectStore: objectStore ?? `file://${encodeURI(join(dir, "objects"))}`,
    leaseMs: LEASE_MS,
    heartbeatMs: HEARTBEAT_MS,
    tlsCert: null,
    tlsKey: null,
    insecure: false,
    policyFile,
    queuesFile,
    snapshotEvery: 50_000,
    perJobMetrics: true,
    logLevel,
  };
}

function agentOptions(
  { dir, python, logLevel, diskFreeMin, diskFreeEnough }: UpOptions,
  scheduler: string,
  name: string,
  virtualGpus: number | null,
): AgentOptions {
  return {
    scheduler,
    name,
    stateDir: join(dir, name),
    virtualGpus,
    diskFreeMin,
    diskFreeEnough,
    advertiseAddress: "127.0.0.1",
    python,
    labels: {},
    spot: false,
    metricsListen: null,
    tls: false,
    ca: null,
    insecure: false,
    logLevel,
  };
}

/** Real GPUs for one agent; several agents on one machine would give each of them away twice. */
async function gpusToPretend(options: UpOptions): Promise<number | null> {
  if (options.virtualGpus !== null) return options.virtualGpus;
  const log = createLogger({ level: options.logLevel, name: "up", style: "auto" });
  const found = await findGpus(log);
  if (found.length === 0) return GPUS_WHERE_NONE;
  if (options.agents === 1) return null;
  throw new Fault(
    "ADDRESS_NOT_USABLE",
    `${options.agents} agents cannot share this machine's ${found.length} GPUs. ` +
      "Use --agents 1, or --virtual-gpus N.",
  );
}

/** The same file name with the ending that this program runs under: .ts in development, .js built. */
function agentEntry(): string {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./wire-up-agent.${ending}`, import.meta.url));
}

function startAgent(options: AgentOptions): ChildProcess {
  const child = fork(agentEntry(), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(options);
  return child;
}

async function stopAgent(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  // Ctrl-C reaches the whole terminal group; the message reaches it also where no signal does.
  if (child.connected) child.disconnect();
  const kill = setTimeout(() => child.kill("SIGKILL"), AGENTS_STOP_MS);
  await ended;
  clearTimeout(kill);
}

async function allJoined(
  scheduler: RunningScheduler,
  count: number,
  agents: readonly ChildProcess[],
  signal: AbortSignal,
): Promise<void> {
  const untilMs = performance.now() + AGENTS_READY_MS;
  while (scheduler.connectedNodes() < count && !signal.aborted) {
    const gone = agents.find((child) => child.exitCode !== null || child.signalCode !== null);
    if (gone !== undefined || performance.now() > untilMs) {
      const why =
        gone === undefined ? `were not ready after ${AGENTS_READY_MS / 1_000} s` : "ended";
      const message = `Agents ${why}; ${scheduler.connectedNodes()} of ${count} joined. Their lines above say why.`;
      throw new Fault("AGENT_UNREACHABLE", message);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function sayReady(options: UpOptions, { grpc, http }: RunningScheduler): void {
  const server = grpc === "127.0.0.1:7070" ? "" : `  export TRAINYARD_SERVER=${grpc}\n`;
  process.stderr.write(
    `A cluster of ${options.agents} nodes is up: gRPC ${grpc}, metrics http://${http}/metrics\n` +
      `${server}  trainyard submit train.py --gpus 1\n  trainyard ps\nCtrl-C ends it.\n`,
  );
}

/** An agent that ends by itself ends the cluster: half a cluster would only puzzle. */
function untilEnd(
  scheduler: RunningScheduler,
  agents: readonly ChildProcess[],
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(0);
    signal.addEventListener("abort", () => resolve(0), { once: true });
    void scheduler.failed.then(() => resolve(1));
    for (const child of agents) {
      child.once("exit", () => resolve(signal.aborted ? 0 : 1));
    }
  });
}
