// One entry for the tasks of those who work on Trainyard: `npm run build|check|gen|bench`, and the
// test run of `scripts/test`.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [task = "", ...rest] = process.argv.slice(2);

interface Step {
  readonly name: string;
  readonly argv: readonly string[];
}

const STATIC_CHECKS: readonly Step[] = [
  { name: "types", argv: ["tsc", "-p", "tsconfig.json"] },
  { name: "lint", argv: ["oxlint", "--type-aware"] },
  { name: "format", argv: ["biome", "ci", "--linter-enabled=false", "."] },
  { name: "dead code", argv: ["knip"] },
];
const UNIT: Step = { name: "unit tests and tidy", argv: ["vitest", "run", "--project", "unit"] };

/** Runs the steps, all at once, and prints the whole output of those that failed. */
async function check(steps: readonly Step[]): Promise<number> {
  const results = await Promise.all(steps.map((step) => run(step)));
  for (const { step, code, output, seconds } of results) {
    console.log(`${code === 0 ? "ok  " : "FAIL"} ${step.name} (${seconds.toFixed(1)} s)`);
    if (code !== 0) console.log(output);
  }
  return results.some((result) => result.code !== 0) ? 1 : 0;
}

interface StepResult {
  readonly step: Step;
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

function run(step: Step): Promise<StepResult> {
  const started = performance.now();
  const [program = "", ...argv] = step.argv;
  const child = spawn("npx", ["--no-install", program, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on("close", (code) => {
      const seconds = (performance.now() - started) / 1000;
      resolve({ step, code: code ?? 1, output: Buffer.concat(chunks).toString("utf8"), seconds });
    });
  });
}

function passThrough(argv: readonly string[]): Promise<number> {
  const child = spawn("npx", ["--no-install", ...argv], { stdio: "inherit" });
  return new Promise((resolve) => {
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Static checks, then all tests with their output; ends with one line of counts. */
async function test(isQuick: boolean): Promise<number> {
  const checked = await check(STATIC_CHECKS);
  const folder = await mkdtemp(join(tmpdir(), "trainyard-test-"));
  const report = join(folder, "report.json");
  const projects = isQuick ? ["--project", "unit", "--project", "property"] : [];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const tested = await passThrough(["vitest", "run", ...projects, ...reporters]);
  const counts = JSON.parse(await readFile(report, "utf8")) as Counts;
  await rm(folder, { recursive: true });
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = counts;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return passed === 0 ? 1 : Math.max(checked, tested);
}

/** Of vitest's JSON report. */
interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

async function main(): Promise<number> {
  switch (task) {
    case "check":
      return check([...STATIC_CHECKS, UNIT]);
    case "test":
      return test(rest.includes("--quick"));
    case "build": {
      const { buildDist } = await import("./build.ts");
      await buildDist();
      return 0;
    }
    case "gen": {
      const { regenerate } = await import("../src/rpc/generate.ts");
      await regenerate("src/rpc/gen");
      return 0;
    }
    case "bench":
      return passThrough(["tsx", "scripts/bench/main.ts", ...rest]);
    default:
      console.error("usage: npm run build | npm run check | npm run gen | npm run bench");
      return 2;
  }
}

process.exitCode = await main();
