// The scheduler is killed while a job runs: the training goes on, and the restarted scheduler takes
// it up where it stands. Real daemons, each a process of its own.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cluster } from "../../src/cli/cluster.ts";
import { connect, Daemons, end, phaseIs, submitScript, until } from "./daemons.ts";

let daemons: Daemons;
beforeEach(() => {
  daemons = new Daemons();
});
afterEach(() => daemons.stop());

async function output(cluster: Cluster, job: string): Promise<string> {
  const request = { job, attempt: 0, rank: 0, follow: false, tailLines: 0 };
  let text = "";
  for await (const { data, stream } of cluster.readLogs(request, new AbortController().signal)) {
    if (stream === "stdout") text += data.toString("utf8");
  }
  return text;
}

test("a scheduler killed with SIGKILL comes back to a job that never stopped running", async () => {
  const first = await daemons.startScheduler();
  daemons.startAgent(first.grpc, "n1");
  const before = await connect(first.grpc);
  const go = join(daemons.dir, "go");
  const script = `echo started; while [ ! -e ${go} ]; do sleep 0.05; done; echo finished`;
  const running = await submitScript(before, "r-1", script);
  await phaseIs(before, running, "RUNNING");
  const waiting = await submitScript(before, "r-2", "echo second");
  before.close();
  await end(first.child, "SIGKILL");

  const second = await daemons.startScheduler(first.grpc);
  const after = await connect(second.grpc);
  // The request id is remembered across the crash: asking again submits nothing.
  expect(await submitScript(after, "r-2", "echo second")).toBe(waiting);
  await until("the agent is back", async () => {
    const { nodes } = await after.listNodes({});
    return nodes[0]?.isConnected === true ? true : null;
  });
  expect((await after.getJob({ job: running })).job?.phase).toBe("RUNNING");
  await writeFile(go, "");
  for (const job of [running, waiting]) await phaseIs(after, job, "SUCCEEDED");
  const { job } = await after.getJob({ job: running });
  expect(job?.attempts).toHaveLength(1);
  expect(await output(after, running)).toBe("started\nfinished\n");
  after.close();
});
