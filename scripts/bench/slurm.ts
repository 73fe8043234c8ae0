// The same work on Slurm and here, one after the other on the same machine, where Slurm is installed
// and its controller answers: the wait until a job's process starts, submits a second while nothing
// may start, and a heap of short jobs from the first submit to the last end. Every job asks for one
// GPU; give Slurm 4 nodes of 8, as we have.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { wallClock } from "./clock.ts";
import { MAIN, type SchedulerProcess, until } from "./daemon.ts";
import { submission } from "./jobs.ts";
import {
  callAndTime,
  CLOCK_COMMAND,
  parseNanoseconds,
  repeat,
  type Start,
  startIdleCluster,
  submitAndTime,
} from "./latency.ts";
import { median, report, reportNone } from "./report.ts";
import type { Stage } from "./stage.ts";

const JOBS = 10;
const SUBMITS = 100;
const SHORT_JOBS = 50;
const IN_FLIGHT = 8;
/** Without it a Slurm job takes all of a node's memory, and so the node. */
const ONE_GPU = ["-N1", "--gres=gpu:1"];
/** sbatch starts jobs when its scheduler next looks: seconds, with its defaults. */
const SBATCH_START_MS = 10_000;
const exec = promisify(execFile);
const { SubmitJob, ListJobs } = decodeService("JobService");
const { ListNodes, CordonNode } = decodeService("NodeService");

export const slurmBench: Bench = {
  name: "slurm",
  summary: "the same work on Slurm, where it is installed and running",
  limitMs: 240_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const missing = await whatIsMissing();
  if (missing !== null) {
    reportNone("side by side with Slurm", missing, true);
    return;
  }
  const dir = await stage.tempDir();
  const cluster = await startIdleCluster(stage);
  await repeat(2, () => submitAndTime(cluster, { argv: CLOCK_COMMAND }));
  await reportInteractive(cluster);
  await reportBatch(cluster, dir);
  await reportShortJobs(cluster);
  await reportRates(cluster);
}

/** Null when Slurm can be measured. */
async function whatIsMissing(): Promise<string | null> {
  for (const program of ["sbatch", "srun", "scontrol"]) {
    const there = await exec("sh", ["-c", `command -v ${program}`]).catch(() => null);
    if (there === null) return `Slurm is not installed here: there is no ${program}.`;
  }
  const ping = await exec("scontrol", ["ping"]).catch(() => ({ stdout: "" }));
  return / UP/.test(ping.stdout) ? null : "slurmctld does not answer `scontrol ping`.";
}

async function reportInteractive(cluster: SchedulerProcess): Promise<void> {
  const slurm = await repeat(JOBS, async () => {
    const clock = wallClock();
    const calledAtMs = clock();
    const { stdout } = await exec("srun", ["--mpi=none", ...ONE_GPU, "-n1", ...CLOCK_COMMAND]);
    return parseNanoseconds(stdout) - calledAtMs;
  });
  const ours = await repeat(JOBS, () => callAndTime(cluster));
  const rpc = await repeat(JOBS, () => submitAndTime(cluster, { argv: CLOCK_COMMAND }));
  report({
    bench: "command line to the job's process, p50: trainyard submit beside srun",
    value: median(starts(ours)),
    unit: "ms",
    details: { srunP50: median(slurm), fromOurRpcP50: median(starts(rpc)) },
  });
}

async function reportBatch(cluster: SchedulerProcess, dir: string): Promise<void> {
  const slurm = await repeat(JOBS / 2, () => batchStart(dir));
  const ours = await repeat(JOBS / 2, () => callAndTime(cluster));
  report({
    bench: "command line to the job's process, p50: trainyard submit beside sbatch",
    value: median(starts(ours)),
    unit: "ms",
    details: { sbatchP50: median(slurm), sbatchCap: SBATCH_START_MS },
  });
}

/** Command lines on both sides; every job is a process of its own on some node. */
async function reportShortJobs(cluster: SchedulerProcess): Promise<void> {
  const slurm = await seconds(async () => {
    const sbatch = [...ONE_GPU, "-o", "/dev/null", "--wrap", "true"];
    await inFlight(SHORT_JOBS, () => exec("sbatch", sbatch));
    await until("Slurm's jobs", async () => (await exec("squeue", ["-h"])).stdout === "");
  });
  const ours = await seconds(async () => {
    await inFlight(SHORT_JOBS, () => submitByCommandLine(cluster));
    await until("our jobs", async () => {
      const { jobs } = await cluster.connection.unary(ListJobs, { page: { size: 1 } });
      return jobs.length === 0;
    });
  });
  report({
    bench: `${SHORT_JOBS} jobs of /bin/true, command lines, first submit to last end`,
    value: ours,
    unit: "s",
    details: { slurm, inFlight: IN_FLIGHT },
  });
}

/** While no job may start: what is measured is only that they are taken in. */
async function reportRates(cluster: SchedulerProcess): Promise<void> {
  const { nodes } = await cluster.connection.unary(ListNodes, {});
  for (const { name } of nodes) {
    await cluster.connection.unary(CordonNode, { requestId: `bench-${name}`, node: name });
  }
  const held = ["-H", ...ONE_GPU, "-o", "/dev/null", "--wrap", "true"];
  const slurm = await rate(() => exec("sbatch", held));
  const commands = await rate(() => submitByCommandLine(cluster));
  const rpc = await rate(() =>
    cluster.connection.unary(SubmitJob, submission({ argv: ["/bin/true"] })),
  );
  await exec("scancel", ["--state=PENDING", `--user=${userInfo().username}`]);
  report({
    bench: "submits a second, 8 in flight, nothing may start: trainyard submit beside sbatch",
    value: commands,
    unit: "1/s",
    details: { sbatchPerSecond: slurm, overOneConnection: rpc, submits: SUBMITS },
  });
}

function submitByCommandLine({ grpc }: SchedulerProcess): Promise<unknown> {
  const flags = ["--server", grpc, "--user", "bench", "--no-code", "--gpus", "1", "-o", "name"];
  return exec(process.execPath, [MAIN, "submit", ...flags, "--", "/bin/true"]);
}

const starts = (calls: readonly Start[]): readonly number[] => calls.map((call) => call.startedMs);

/** Milliseconds from the call of sbatch to its job's first process; at most `SBATCH_START_MS`. */
async function batchStart(dir: string): Promise<number> {
  const output = join(dir, "sbatch.out");
  const clock = wallClock();
  const calledAtMs = clock();
  await exec("sbatch", [...ONE_GPU, "-o", output, "--wrap", CLOCK_COMMAND.join(" ")]);
  while (clock() - calledAtMs < SBATCH_START_MS) {
    const text = await readFile(output, "utf8").catch(() => "");
    const startedAtMs = text.endsWith("\n") ? parseNanoseconds(text) : 0;
    // The file may still be the one of the job before.
    if (startedAtMs > calledAtMs) return startedAtMs - calledAtMs;
    await pause(2);
  }
  return SBATCH_START_MS;
}

/** Calls a second. */
const rate = async (call: () => Promise<unknown>): Promise<number> =>
  SUBMITS / (await seconds(() => inFlight(SUBMITS, call)));

async function seconds(act: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return (performance.now() - startedMs) / 1_000;
}

async function inFlight(count: number, call: () => Promise<unknown>): Promise<void> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}
