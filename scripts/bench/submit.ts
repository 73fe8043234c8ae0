// Durable submissions against what grpc-js itself can do with the same messages in the same run: an
// echo server of its own process, the same client, the same number in flight.

import { fork } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Connection } from "../../src/rpc/client.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import type { Bench } from "./bench.ts";
import { connect, startScheduler } from "./daemon.ts";
import { submission } from "./jobs.ts";
import { cpuSeconds } from "./proc.ts";
import { median, quantile, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const IN_FLIGHT = 64;
const WARM_UP = 1_500;
const ROUND = 5_000;
const ROUNDS = 3;
const LONE = 400;
const LONE_WARM_UP = 50;
const PAGE_BYTES = 4_096;
const { SubmitJob } = decodeService("JobService");

export const submitBench: Bench = {
  name: "submit",
  summary: "durable submits a second against raw grpc-js; a lone submit",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const dir = await stage.tempDir();
  const scheduler = await startScheduler(stage, { dir });
  const echo = await startEcho(stage);
  const ours: Peer = { connection: scheduler.connection, pid: scheduler.pid };
  const raw: Peer = { connection: connect(echo.address), pid: echo.pid };
  stage.onClear(() => raw.connection.close());
  await reportLone(dir, raw.connection, ours.connection);
  await rate(raw, WARM_UP);
  await rate(ours, WARM_UP);
  // Alternating rounds, so that a slow moment of the machine hits both.
  const rounds: { readonly raw: Rate; readonly ours: Rate }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ raw: await rate(raw, ROUND), ours: await rate(ours, ROUND) });
  }
  report({
    bench: "durable submits, 64 in flight, against raw grpc-js unary",
    value: median(rounds.map((round) => round.ours.perSecond / round.raw.perSecond)),
    unit: "ratio",
    limit: { atLeast: 0.6 },
    details: {
      submitsPerSecond: median(rounds.map((round) => round.ours.perSecond)),
      rawPerSecond: median(rounds.map((round) => round.raw.perSecond)),
      // Steadier than rates on a machine that has other work.
      cpuUsPerSubmit: median(rounds.map((round) => round.ours.cpuUs)),
      cpuUsPerRawCall: median(rounds.map((round) => round.raw.cpuUs)),
    },
  });
}

/** Beside the same call to the echo server, and the disk's own time for what makes it durable. */
async function reportLone(dir: string, raw: Connection, ours: Connection): Promise<void> {
  const times = await loneLatencies(ours);
  const rawTimes = await loneLatencies(raw);
  const syncTimes = syncLatencies(dir);
  report({
    bench: "a lone durable submit, p99",
    value: quantile(times, 0.99),
    unit: "ms",
    limit: { atMost: 15 },
    details: {
      p50: median(times),
      rawP50: median(rawTimes),
      rawP99: quantile(rawTimes, 0.99),
      diskSyncP50: median(syncTimes),
      diskSyncP99: quantile(syncTimes, 0.99),
      submits: LONE,
    },
  });
}

/** A page written and on the disk, in milliseconds. */
function syncLatencies(dir: string): readonly number[] {
  const file = openSync(join(dir, "sync"), "w");
  const times: number[] = [];
  for (let n = 0; n < LONE; n += 1) {
    const startedMs = performance.now();
    writeSync(file, Buffer.alloc(PAGE_BYTES, n), 0, PAGE_BYTES, 0);
    fdatasyncSync(file);
    times.push(performance.now() - startedMs);
  }
  closeSync(file);
  return times;
}

/** A server, and the way to it. */
interface Peer {
  readonly connection: Connection;
  readonly pid: number;
}

interface Rate {
  readonly perSecond: number;
  /** What one call costs the server's process: all its threads, user and system. */
  readonly cpuUs: number;
}

/** With `IN_FLIGHT` calls under way. */
async function rate({ connection, pid }: Peer, count: number): Promise<Rate> {
  let sent = 0;
  const cpuBefore = cpuSeconds(pid);
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      await connection.unary(SubmitJob, submission({ argv: ["/bin/true"] }));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const seconds = (performance.now() - startedMs) / 1_000;
  const cpuUs = ((cpuSeconds(pid) - cpuBefore) * 1e6) / count;
  return { perSecond: count / seconds, cpuUs };
}

async function loneLatencies(connection: Connection): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = -LONE_WARM_UP; n < LONE; n += 1) {
    const startedMs = performance.now();
    await connection.unary(SubmitJob, submission({ argv: ["/bin/true"] }));
    if (n >= 0) times.push(performance.now() - startedMs);
  }
  return times;
}

function startEcho(stage: Stage): Promise<{ readonly address: string; readonly pid: number }> {
  const entry = fileURLToPath(new URL("./echo.ts", import.meta.url));
  const child = stage.own(fork(entry, { execArgv: ["--import", "tsx"] }));
  return new Promise((resolve, reject) => {
    child.once("message", (address: string) => resolve({ address, pid: child.pid ?? 0 }));
    child.once("exit", () => reject(new Error("the echo server did not start")));
  });
}
