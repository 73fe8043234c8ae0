// The scheduler is killed while a job runs: the training goes on, and the restarted scheduler takes
// it up where it stands. Real daemons, each a process of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cluster } from "../../src/cli/cluster.ts";
import { connectCluster } from "../../src/cli/grpc-cluster.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const QUIET = ["--log-level", "error"];
let dir: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "trainyard-restart-"));
});

afterEach(async () => {
  for (const child of children) await end(child, "SIGTERM");
  children = [];
  await rm(dir, { recursive: true, force: true });
});

function start(argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...argv], { stdio: "inherit" });
  children.push(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    const found = await look();
    if (found !== null) return found;
    await delay(50);
  }
  throw new Error(`waited 60 s for: ${what}`);
}

async function startScheduler(listen: string): Promise<{ child: ChildProcess; grpc: string }> {
  const dataDir = join(dir, "scheduler");
  const endpoints = join(dataDir, "endpoints.json");
  await rm(endpoints, { force: true });
  const addresses = ["--listen", listen, "--http-listen", "127.0.0.1:0"];
  const lease = ["--lease", "20s", "--heartbeat", "500ms"];
  const child = start(["scheduler", ...addresses, "--data-dir", dataDir, ...lease, ...QUIET]);
  const grpc = await until("the scheduler's endpoints", async () => {
    const text = await readFile(endpoints, "utf8").catch(() => "");
    return text.endsWith("\n") ? (JSON.parse(text) as { grpc: string }).grpc : null;
  });
  return { child, grpc };
}

const connect = (server: string): Promise<Cluster> =>
  connectCluster({
    server,
    tenant: "default",
    user: "test",
    tls: false,
    ca: null,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
  });

async function submit(cluster: Cluster, requestId: string, script: string): Promise<string> {
  const spec = {
    name: "count",
    perNode: { gpus: 1 },
    exec: { argv: ["/bin/sh", "-c", script] },
  };
  return (await cluster.submitJob({ requestId, spec })).jobId;
}

async function phase(cluster: Cluster, job: string): Promise<string> {
  return (await cluster.getJob({ job })).job?.phase ?? "";
}

async function output(cluster: Cluster, job: string): Promise<string> {
  const request = { job, attempt: 0, rank: 0, follow: false, tailLines: 0 };
  let text = "";
  for await (const { data, stream } of cluster.readLogs(request, new AbortController().signal)) {
    if (stream === "stdout") text += data.toString("utf8");
  }
  return text;
}

test("a scheduler killed with SIGKILL comes back to a job that never stopped running", async () => {
  const first = await startScheduler("127.0.0.1:0");
  const place = ["--scheduler", first.grpc, "--name", "n1", "--state-dir", join(dir, "n1")];
  start(["agent", ...place, "--virtual-gpus", "1", "--metrics-listen", "off", ...QUIET]);
  const before = await connect(first.grpc);
  const go = join(dir, "go");
  const script = `echo started; while [ ! -e ${go} ]; do sleep 0.05; done; echo finished`;
  const running = await submit(before, "r-1", script);
  await until("the job runs", async () =>
    (await phase(before, running)) === "RUNNING" ? true : null,
  );
  const waiting = await submit(before, "r-2", "echo second");
  before.close();
  await end(first.child, "SIGKILL");

  const second = await startScheduler(first.grpc);
  const after = await connect(second.grpc);
  // The request id is remembered across the crash: asking again submits nothing.
  expect(await submit(after, "r-2", "echo second")).toBe(waiting);
  await until("the agent is back", async () => {
    const { nodes } = await after.listNodes({});
    return nodes[0]?.isConnected === true ? true : null;
  });
  expect(await phase(after, running)).toBe("RUNNING");
  await writeFile(go, "");
  for (const job of [running, waiting]) {
    await until(`${job} succeeds`, async () =>
      (await phase(after, job)) === "SUCCEEDED" ? true : null,
    );
  }
  const { job } = await after.getJob({ job: running });
  expect(job?.attempts).toHaveLength(1);
  expect(await output(after, running)).toBe("started\nfinished\n");
  after.close();
});
