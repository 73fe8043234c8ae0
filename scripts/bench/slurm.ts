// The same work on Slurm and here, one after the other on the same machine, where Slurm is installed
// and its controller answers: the wait until a job's process starts, and submits a second.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { wallClock } from "./clock.ts";
import type { SchedulerProcess } from "./daemon.ts";
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
const SUBMITS = 200;
const IN_FLIGHT = 8;
/** sbatch starts jobs when its scheduler next looks: seconds, with its defaults. */
const SBATCH_START_MS = 10_000;
const exec = promisify(execFile);
const { SubmitJob } = decodeService("JobService");

export const slurmBench: Bench = {
  name: "slurm",
  summary: "the same work on Slurm, where it is installed and running",
  limitMs: 120_000,
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
    const { stdout } = await exec("srun", ["--mpi=none", "-N1", "-n1", ...CLOCK_COMMAND]);
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

async function reportRates(cluster: SchedulerProcess): Promise<void> {
  const slurm = await rate(() => exec("sbatch", ["-o", "/dev/null", "--wrap", "true"]));
  const ours = await rate(() =>
    cluster.connection.unary(SubmitJob, submission({ argv: ["/bin/true"] })),
  );
  report({
    bench: "submits a second, 8 in flight: our RPC beside sbatch",
    value: ours,
    unit: "1/s",
    details: { sbatchPerSecond: slurm, submits: SUBMITS },
  });
}

const starts = (calls: readonly Start[]): readonly number[] => calls.map((call) => call.startedMs);

/** Milliseconds from the call of sbatch to its job's first process; at most `SBATCH_START_MS`. */
async function batchStart(dir: string): Promise<number> {
  const output = join(dir, "sbatch.out");
  const clock = wallClock();
  const calledAtMs = clock();
  await exec("sbatch", ["-N1", "-o", output, "--wrap", CLOCK_COMMAND.join(" ")]);
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
async function rate(call: () => Promise<unknown>): Promise<number> {
  let sent = 0;
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    while (sent < SUBMITS) {
      sent += 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return SUBMITS / ((performance.now() - startedMs) / 1_000);
}
