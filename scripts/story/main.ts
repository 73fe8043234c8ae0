// `scripts/quickstart`: a cluster on this machine, the story on it, and nothing left behind.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connectCluster } from "../../src/cli/grpc-cluster.ts";
import { type RunningCluster, ROOT, startCluster } from "./cluster.ts";
import { createShow, type Show } from "./show.ts";
import { play } from "./story.ts";
import type { Summary } from "./summary.ts";

const USAGE = `usage: scripts/quickstart [--python PATH] [--keep] [--json] [--dir PATH]

  --python PATH  interpreter that has torch (default: .venv, python3, or a new .venv)
  --keep         leave the cluster running and print its addresses
  --json         print a machine-readable summary as the last line of stdout
  --dir PATH     where the cluster keeps everything (default: a new temporary folder)
`;

interface Arguments {
  readonly python: string;
  readonly keep: boolean;
  readonly json: boolean;
  readonly dir: string | null;
}

function parseArguments(): Arguments | null {
  const { values } = parseArgs({
    options: {
      python: { type: "string" },
      keep: { type: "boolean" },
      json: { type: "boolean" },
      dir: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return null;
  const { python = "python3", keep = false, json = false, dir = null } = values;
  return { python, keep, json, dir };
}

async function main(): Promise<number> {
  const startedAtMs = Date.now();
  let chosen: Arguments | null;
  try {
    chosen = parseArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (chosen === null) {
    process.stdout.write(USAGE);
    return 0;
  }
  const show = createShow(startedAtMs);
  const dir = chosen.dir ?? (await mkdtemp(join(tmpdir(), "trainyard-quickstart-")));
  const aborted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => aborted.abort());
  show.title(
    "0  A cluster on this machine: a scheduler and three agents with two virtual GPUs each",
  );
  const running = await startCluster({
    dir,
    agents: 3,
    virtualGpus: 2,
    queuesFile: join(ROOT, "scripts/story/queues.yaml"),
    python: chosen.python,
  });
  show.event(`ready: gRPC ${running.grpc}, metrics http://${running.http}/metrics`);
  return tell(running, { ...chosen, dir, show, startedAtMs, signal: aborted.signal });
}

interface Telling extends Arguments {
  readonly dir: string;
  readonly show: Show;
  readonly startedAtMs: number;
  readonly signal: AbortSignal;
}

async function tell(running: RunningCluster, telling: Telling): Promise<number> {
  const { show, startedAtMs, signal } = telling;
  let summary: Summary | null = null;
  try {
    const cluster = await connectCluster({
      server: running.grpc,
      tenant: "default",
      user: userInfo().username,
      tls: false,
      ca: null,
      timeoutMs: 30_000,
      signal,
    });
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
    });
    summary = await Promise.race([play({ cluster, show, startedAtMs }), stopped]);
    cluster.close();
  } catch (error) {
    show.plain(`\nIt did not work: ${error instanceof Error ? error.message : String(error)}`);
    show.plain(`The cluster's log: ${running.logFile}`);
  }
  await leave(running, telling, summary?.ok === true);
  if (summary !== null) sayResult(show, summary);
  const failed = { ok: false, jobs: [], seconds: (Date.now() - startedAtMs) / 1000 };
  if (telling.json) process.stdout.write(`${JSON.stringify(summary ?? failed)}\n`);
  return summary?.ok === true ? 0 : 1;
}

/** With --keep the cluster stays; otherwise it ends, and its folder goes unless something went wrong. */
async function leave(running: RunningCluster, telling: Telling, isOk: boolean): Promise<void> {
  const { show, dir } = telling;
  if (telling.keep && !telling.signal.aborted) {
    running.leave();
    show.title("The cluster goes on");
    show.plain(`  metrics    http://${running.http}/metrics`);
    show.plain(`  its folder ${dir}`);
    show.plain(`  end it     kill ${running.pid}`);
    show.title("Try next");
    const token = randomBytes(2).toString("hex");
    show.plain(`  export TRAINYARD_SERVER=${running.grpc}`);
    show.plain("  node dist/main.js ps -a");
    show.plain("  node dist/main.js metrics ddp");
    show.plain("  node dist/main.js queue shares");
    show.plain(
      `  node dist/main.js run --name try-${token} --queue research --no-code -- hostname`,
    );
    return;
  }
  await running.stop();
  if (isOk && telling.dir.startsWith(tmpdir())) await rm(dir, { recursive: true, force: true });
}

function sayResult(show: Show, summary: Summary): void {
  const resume = summary.preemptToResumeSeconds;
  show.plain("");
  show.plain(`Preempted to running again: ${resume === null ? "never" : `${resume.toFixed(1)} s`}`);
  show.plain(`GPU seconds lost: ${summary.lostGpuSeconds.toFixed(1)}`);
  show.plain(`Checkpoints committed: ${summary.checkpointsCommitted}`);
  show.plain(
    `${summary.ok ? "All well" : "Something differs"}, in ${summary.seconds.toFixed(1)} s.`,
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
