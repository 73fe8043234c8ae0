// Durable submissions against what grpc-js itself can do with the same messages in the same run: an
// echo server of its own process, the same client, the same number in flight.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Connection } from "../../src/rpc/client.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { connect, startScheduler } from "./daemon.ts";
import { submission } from "./jobs.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const IN_FLIGHT = 64;
const WARM_UP = 1_500;
const ROUND = 5_000;
const ROUNDS = 3;
const LONE = 500;
const { SubmitJob } = decodeService("JobService");

export const submitBench: Bench = {
  name: "submit",
  summary: "durable submits a second against raw grpc-js; a lone submit",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const ours = (await startScheduler(stage, { dir: await stage.tempDir() })).connection;
  const raw = connect(await startEcho(stage));
  stage.onClear(() => raw.close());
  await rate(raw, WARM_UP);
  await rate(ours, WARM_UP);
  reportLone(await loneLatencies(raw), await loneLatencies(ours));
  // Alternating rounds, so that a slow moment of the machine hits both.
  const rounds: { readonly raw: number; readonly ours: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ raw: await rate(raw, ROUND), ours: await rate(ours, ROUND) });
  }
  report({
    bench: "durable submits, 64 in flight, against raw grpc-js unary",
    value: median(rounds.map((round) => round.ours / round.raw)),
    unit: "ratio",
    limit: { atLeast: 0.6 },
    details: {
      submitsPerSecond: median(rounds.map((round) => round.ours)),
      rawPerSecond: median(rounds.map((round) => round.raw)),
    },
  });
}

function reportLone(raw: readonly number[], ours: readonly number[]): void {
  report({
    bench: "a lone durable submit, p99",
    value: quantile(ours, 0.99),
    unit: "ms",
    limit: { atMost: 15 },
    details: { p50: median(ours), rawP99: quantile(raw, 0.99), rawP50: median(raw), submits: LONE },
  });
}

/** Calls a second with `IN_FLIGHT` of them under way. */
async function rate(connection: Connection, count: number): Promise<number> {
  let sent = 0;
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      await connection.unary(SubmitJob, submission({ argv: ["/bin/true"] }));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return count / ((performance.now() - startedMs) / 1_000);
}

async function loneLatencies(connection: Connection): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < LONE; n += 1) {
    const startedMs = performance.now();
    await connection.unary(SubmitJob, submission({ argv: ["/bin/true"] }));
    times.push(performance.now() - startedMs);
  }
  return times;
}

/** Returns its address. */
function startEcho(stage: Stage): Promise<string> {
  const entry = fileURLToPath(new URL("./echo.ts", import.meta.url));
  const child = stage.own(fork(entry, { execArgv: ["--import", "tsx"] }));
  return new Promise((resolve, reject) => {
    child.once("message", (address: string) => resolve(address));
    child.once("exit", () => reject(new Error("the echo server did not start")));
  });
}
