// A whole cluster for tests: `trainyard up` as a process of its own, on free ports and in a folder of
// its own, and the command line pointed at it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const READY_MS_MAX = 60_000;
const POLL_MS = 50;

export interface ClusterSize {
  readonly agents: number;
  /** Of each agent. */
  readonly virtualGpus: number;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestCluster {
  /** `host:port`. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  cli(args: readonly string[]): Promise<CliResult>;
  stop(): Promise<void>;
}

export async function startCluster({ agents, virtualGpus }: ClusterSize): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), "trainyard-cluster-"));
  const flags = ["--agents", `${agents}`, "--virtual-gpus", `${virtualGpus}`, "--dir", folder];
  const args = ["--import", "tsx", MAIN, "up", ...flags, "--port", "0", "--http-port", "0"];
  const daemon = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  daemon.stdout.on("data", (text: Buffer) => (output += text.toString()));
  daemon.stderr.on("data", (text: Buffer) => (output += text.toString()));

  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const ended = once(daemon, "exit");
      daemon.kill("SIGTERM");
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };

  const file = join(folder, "cluster.json");
  const endMs = performance.now() + READY_MS_MAX;
  while (!existsSync(file)) {
    if (daemon.exitCode !== null || performance.now() > endMs) {
      await stop();
      throw new Error(`the cluster did not start:\n${output}`);
    }
    await delay(POLL_MS);
  }
  const { grpc, http } = JSON.parse(readFileSync(file, "utf8")) as { grpc: string; http: string };
  return { grpcAddress: grpc, httpAddress: http, cli: (args) => runCli(grpc, args), stop };
}

function runCli(server: string, args: readonly string[]): Promise<CliResult> {
  const env = { ...process.env, TRAINYARD_SERVER: server };
  const words = ["--import", "tsx", MAIN, ...args];
  return new Promise((done) => {
    execFile(process.execPath, words, { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      done({ code, stdout, stderr });
    });
  });
}
