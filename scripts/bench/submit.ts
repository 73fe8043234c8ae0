// Durable submissions against what grpc-js itself can do with the same messages in the same run: an
// echo server of its own process, the same client, the same number in flight.

import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Connection } from "../../src/rpc/client.ts";
import type { SubmitJobRequest } from "../../src/rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import { removeDir, startScheduler, tempDir } from "./daemon.ts";
import { quantile, report } from "./report.ts";

const IN_FLIGHT = 64;
const ROUND = 6_000;
const LONE = 400;
const method = decodeService("JobService").SubmitJob;

export async function benchSubmit(): Promise<void> {
  const dir = await tempDir();
  const scheduler = await startScheduler(dir, ["--log-level", "error"]);
  const echo = await startEcho();
  const ours = scheduler.connect();
  const raw = new Connection({
    address: echo.address,
    caller: { tenant: "default", user: "bench" },
    tls: null,
  });
  try {
    const lone = await loneLatencies(ours);
    await rate(raw, 1_000);
    await rate(ours, 1_000);
    // Alternating rounds, so that a slow moment of the machine hits both.
    const pairs: { ours: number; raw: number }[] = [];
    for (let round = 0; round < 3; round += 1) {
      pairs.push({ raw: await rate(raw, ROUND), ours: await rate(ours, ROUND) });
    }
    const ratios = pairs.map((pair) => pair.ours / pair.raw);
    report({
      bench: "durable submits, 64 in flight, against raw grpc-js unary",
      value: quantile(ratios, 0.5),
      unit: "ratio",
      limit: { atLeast: 0.6 },
      details: {
        submitsPerSecond: Math.round(
          quantile(
            pairs.map((pair) => pair.ours),
            0.5,
          ),
        ),
        rawPerSecond: Math.round(
          quantile(
            pairs.map((pair) => pair.raw),
            0.5,
          ),
        ),
      },
    });
    report({
      bench: "a lone durable submit, p99",
      value: quantile(lone, 0.99),
      unit: "ms",
      limit: { atMost: 15 },
      details: { p50: quantile(lone, 0.5), submits: LONE },
    });
  } finally {
    ours.close();
    raw.close();
    echo.stop();
    await scheduler.end();
    await removeDir(dir);
  }
}

export function sampleSubmit(gpus = 1, nodes = 1): SubmitJobRequest {
  return {
    requestId: randomUUID(),
    spec: {
      name: "bench",
      queue: "default",
      nodes,
      perNode: { gpus },
      exec: { argv: ["/bin/true"] },
      env: { SOME: "thing" },
    },
  };
}

async function rate(connection: Connection, count: number): Promise<number> {
  let next = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await connection.unary(method, sampleSubmit());
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return count / ((performance.now() - started) / 1000);
}

async function loneLatencies(connection: Connection): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < LONE + 50; n += 1) {
    const started = performance.now();
    await connection.unary(method, sampleSubmit());
    if (n >= 50) times.push(performance.now() - started);
  }
  return times;
}

async function startEcho(): Promise<{ readonly address: string; stop(): void }> {
  const child = fork(fileURLToPath(new URL("./echo.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"],
  });
  const address = await new Promise<string>((done) => {
    child.once("message", (message) => done(String(message)));
  });
  return { address, stop: () => child.kill() };
}
