// `npm run bench`: builds, then runs all benches or the named ones, one after the other. Results are
// JSON lines on stdout; what else there is to say goes to stderr.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism, loadavg } from "node:os";
import { resolve } from "node:path";
import type { Bench } from "./bench.ts";
import { checkpointBench } from "./checkpoint.ts";
import { cliBench } from "./cli.ts";
import { crashBench } from "./crash.ts";
import { footprintBench } from "./footprint.ts";
import { idleAgentsBench } from "./idle-agents.ts";
import { kueueBench } from "./kueue.ts";
import { latencyBench } from "./latency.ts";
import { planBench } from "./plan.ts";
import { failureCount, reportNone } from "./report.ts";
import { slurmBench } from "./slurm.ts";
import { Stage } from "./stage.ts";
import { submitBench } from "./submit.ts";
import { trackerBench } from "./tracker.ts";

const BENCHES: readonly Bench[] = [
  submitBench,
  latencyBench,
  planBench,
  kueueBench,
  crashBench,
  idleAgentsBench,
  footprintBench,
  trackerBench,
  checkpointBench,
  cliBench,
  slurmBench,
];

const HELP = `usage: npm run bench [-- [--no-build] [name...]]

Measures Trainyard on this machine, all benches or the named ones:

${BENCHES.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

One JSON line for each result: {"bench", "value", "unit", "limit", "ok", "details"}. Exit code 1 when
a result is outside its limit, or a bench could not be run. --no-build measures dist/ as it is.
Times belong to this machine and this moment: compare ratios, and lines of one run. Other work on
the machine spoils them.
`;

process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = argv.filter((arg) => arg !== "--no-build");
  const unknown = names.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no bench ${JSON.stringify(unknown)}.\n\n${HELP}`);
    return 2;
  }
  if (!argv.includes("--no-build") && !(await build())) return 1;
  warnOfOtherWork();
  for (const bench of BENCHES) {
    if (names.length === 0 || names.includes(bench.name)) await runBench(bench);
  }
  return failureCount() === 0 ? 0 : 1;
}

function warnOfOtherWork(): void {
  const [load = 0] = loadavg();
  if (load < availableParallelism() / 2) return;
  process.stderr.write(
    `The machine is busy: ${load.toFixed(1)} processes wanted its ${availableParallelism()} cores ` +
      "during the last minute. Times below will be too long.\n",
  );
}

/** What is measured is the built program, as users run it. */
async function build(): Promise<boolean> {
  const cwd = resolve(import.meta.dirname, "../..");
  const child = spawn("npm", ["run", "--silent", "build"], { cwd, stdio: ["ignore", 2, 2] });
  const [code] = await once(child, "close");
  return code === 0;
}

async function runBench(bench: Bench): Promise<void> {
  const stage = new Stage();
  const endings = new AbortController();
  const interrupted = (): void => void stage.clear().finally(() => process.exit(130));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  process.stderr.write(`${bench.name}: ${bench.summary}\n`);
  try {
    await Promise.race([bench.run(stage), tooLong(bench.limitMs, endings.signal)]);
  } catch (error) {
    reportNone(bench.name, error instanceof Error ? error.message : String(error), false);
  } finally {
    endings.abort();
    await stage.clear();
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
  }
}

/** Rejects after `ms`, unless the bench has ended by then. */
function tooLong(ms: number, ended: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`took longer than ${ms / 1_000} s`)), ms);
    ended.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}
