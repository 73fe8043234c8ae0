// Jobs as the benches submit and follow them.

import { randomUUID } from "node:crypto";
import type { Connection } from "../../src/rpc/client.ts";
import type { SubmitJobRequest } from "../../src/rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import { until } from "./daemon.ts";

const jobs = decodeService("JobService");
const ENDED = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);
const PAGE = 1_000;

export interface Command {
  readonly argv: readonly string[];
  /** Default 1. */
  readonly nodes?: number;
}

/** One GPU on each node. */
export function submission({ argv, nodes = 1 }: Command): SubmitJobRequest {
  return {
    requestId: randomUUID(),
    spec: {
      name: "bench",
      queue: "default",
      nodes,
      perNode: { gpus: 1 },
      exec: { argv: [...argv] },
      env: { SOME: "thing" },
    },
  };
}

export async function phaseOf(connection: Connection, jobId: string): Promise<string> {
  return (await connection.unary(jobs.GetJob, { job: jobId })).job?.phase ?? "";
}

export async function waitForPhase(
  connection: Connection,
  jobId: string,
  phase: string,
): Promise<void> {
  await until(`${jobId} to be ${phase}`, async () => {
    const now = await phaseOf(connection, jobId);
    if (now !== phase && ENDED.has(now)) throw new Error(`${jobId} is ${now}, not ${phase}`);
    return now === phase;
  });
}

/** What each rank wrote to its output, in no certain order. */
export async function outputsOf(connection: Connection, jobId: string): Promise<readonly string[]> {
  const texts = new Map<number, string>();
  const stream = connection.serverStream(jobs.ReadLogs, { job: jobId, rank: -1 });
  for await (const { rank, data } of stream) {
    texts.set(rank, (texts.get(rank) ?? "") + data.toString("utf8"));
  }
  return [...texts.values()];
}

/** Ids of every job there is, ended ones too. */
export async function allJobIds(connection: Connection): Promise<readonly string[]> {
  const ids: string[] = [];
  let token = "";
  do {
    const page = { size: PAGE, token };
    const reply = await connection.unary(jobs.ListJobs, { page, includeEnded: true });
    for (const job of reply.jobs) ids.push(job.id);
    token = reply.nextToken;
  } while (token !== "");
  return ids;
}
