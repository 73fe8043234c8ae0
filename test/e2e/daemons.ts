// A scheduler and agents, each a process of its own, in a folder that goes with them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../../src/cli/cluster.ts";
import { connectCluster } from "../../src/cli/grpc-cluster.ts";
import type { Timestamp__Output } from "../../src/rpc/gen/google/protobuf/Timestamp.ts";
import type { Job__Output } from "../../src/rpc/gen/trainyard/v1/Job.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const QUIET = ["--log-level", "error"];

export class Daemons {
  readonly dir = mkdtempSync(join(tmpdir(), "trainyard-daemons-"));
  readonly #children: ChildProcess[] = [];

  async startScheduler(
    listen = "127.0.0.1:0",
    flags: readonly string[] = [],
  ): Promise<{ child: ChildProcess; grpc: string }> {
    const dataDir = join(this.dir, "scheduler");
    const endpoints = join(dataDir, "endpoints.json");
    await rm(endpoints, { force: true });
    const addresses = ["--listen", listen, "--http-listen", "127.0.0.1:0"];
    const lease = ["--lease", "20s", "--heartbeat", "500ms"];
    const place = ["--data-dir", dataDir];
    const child = this.#start(["scheduler", ...addresses, ...place, ...lease, ...flags]);
    const grpc = await until("the scheduler's endpoints", async () => {
      const text = await readFile(endpoints, "utf8").catch(() => "");
      return text.endsWith("\n") ? (JSON.parse(text) as { grpc: string }).grpc : null;
    });
    return { child, grpc };
  }

  /** With one virtual GPU; its state folder is `<dir>/<name>`. */
  startAgent(grpc: string, name: string, flags: readonly string[] = []): ChildProcess {
    const place = ["--scheduler", grpc, "--name", name, "--state-dir", join(this.dir, name)];
    const gpus = ["--virtual-gpus", "1", "--metrics-listen", "off"];
    return this.#start(["agent", ...place, ...gpus, ...flags]);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) await end(child, "SIGTERM");
    rmSync(this.dir, { recursive: true, force: true });
  }

  #start(argv: readonly string[]): ChildProcess {
    const words = ["--import", "tsx", MAIN, ...argv, ...QUIET];
    const child = spawn(process.execPath, words, { stdio: "inherit" });
    this.#children.push(child);
    return child;
  }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

/** Polls until `look` gives something else than null. */
export async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    const found = await look();
    if (found !== null) return found;
    await delay(50);
  }
  throw new Error(`waited 60 s for: ${what}`);
}

export const connect = (server: string): Promise<Cluster> =>
  connectCluster({
    server,
    tenant: "default",
    user: "test",
    tls: false,
    ca: null,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
  });

/** One GPU, one shell script. */
export async function submitScript(
  cluster: Cluster,
  requestId: string,
  script: string,
): Promise<string> {
  const exec = { argv: ["/bin/sh", "-c", script] };
  const spec = { name: "count", perNode: { gpus: 1 }, exec };
  return (await cluster.submitJob({ requestId, spec })).jobId;
}

export async function phaseIs(cluster: Cluster, job: string, phase: string): Promise<void> {
  await jobUntil(cluster, job, phase, (seen) => seen.phase === phase || null);
}

/**
 * As `until`, of a job. One that has ended will never be what is waited for: then, and when the time
 * is over, the error tells all that happened to it.
 */
export async function jobUntil<T>(
  cluster: Cluster,
  job: string,
  what: string,
  look: (seen: Job__Output) => T | null,
): Promise<T> {
  try {
    return await until(`${job} ${what}`, async () => {
      const { job: seen } = await cluster.getJob({ job });
      if (seen === null) return null;
      const found = look(seen);
      if (found === null && ENDS.has(seen.phase)) throw new Error(`${job} is not ${what}`);
      return found;
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}\n${await storyOf(cluster, job)}`, { cause: error });
  }
}

const ENDS: ReadonlySet<string> = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);

async function storyOf(cluster: Cluster, id: string): Promise<string> {
  const { job } = await cluster.getJob({ job: id });
  const { events } = await cluster.listJobEvents({ job: id });
  const lines = events.map(({ at, kind, message }) => `  ${timeOf(at)} ${kind}: ${message}`);
  return [`${id} is ${job?.phase}: ${job?.why}`, ...lines].join("\n");
}

const timeOf = (at: Timestamp__Output | null): string =>
  new Date((at?.seconds ?? 0) * 1_000 + (at?.nanos ?? 0) / 1_000_000).toISOString();
