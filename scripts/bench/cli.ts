// What a person waits for `trainyard ps`, against Node's own start in the same run.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { MAIN, startScheduler } from "./daemon.ts";
import { submission } from "./jobs.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const ROUNDS = 15;
const JOBS = 50;
const { SubmitJob } = decodeService("JobService");

export const cliBench: Bench = {
  name: "cli",
  summary: "trainyard ps against node's own start",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const { grpc, connection } = await startScheduler(stage, { dir: await stage.tempDir() });
  for (let n = 0; n < JOBS; n += 1) {
    await connection.unary(SubmitJob, submission({ argv: ["/bin/true"] }));
  }
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await time(["-e", "0"]));
    ours.push(await time([MAIN, "ps", "--server", grpc]));
  }
  report({
    bench: "trainyard ps, p50",
    value: median(ours),
    unit: "ms",
    limit: { atMost: 250 },
    details: {
      p90: quantile(ours, 0.9),
      nodeAloneP50: median(bare),
      ratioToNode: median(ours) / median(bare),
      jobsListed: JOBS,
    },
  });
}

async function time(argv: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  await promisify(execFile)(process.execPath, argv);
  return performance.now() - startedMs;
}
