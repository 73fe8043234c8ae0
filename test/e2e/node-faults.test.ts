// What a node does wrong is the node's: its disk is full, or something kills what watches over a task.
// The job goes on elsewhere, its own failures uncounted. Real daemons, a real small file system.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cluster } from "../../src/cli/cluster.ts";
import { connect, Daemons, phaseIs, submitScript, until } from "./daemons.ts";

let daemons: Daemons;
let mounted: string[];
beforeEach(() => {
  daemons = new Daemons();
  mounted = [];
});
afterEach(async () => {
  // Busy until the daemons have ended; lazily, so that their folder can go with them.
  for (const folder of mounted) execFileSync("umount", ["--lazy", folder]);
  await daemons.stop();
});

/** A file system that a test may fill needs root. */
function mountSmall(name: string): string | null {
  const folder = join(daemons.dir, name);
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], { stdio: "pipe" });
  } catch {
    return null;
  }
  mounted.push(folder);
  return folder;
}

const conditionsOf = async (cluster: Cluster, name: string): Promise<readonly string[]> => {
  const { nodes } = await cluster.listNodes({});
  return nodes.find((node) => node.name === name)?.conditions.map(({ kind }) => kind) ?? [];
};

async function attemptsOf(cluster: Cluster, jobId: string): Promise<readonly string[]> {
  const { job } = await cluster.getJob({ job: jobId });
  expect(job).toMatchObject({ failures: 0 });
  return (job?.attempts ?? []).map(
    ({ outcome, placement, exit }) => `${placement[0]?.node} ${outcome} ${exit?.reason ?? ""}`,
  );
}

const LIMITS = ["--disk-free-min", "1MiB", "--disk-free-enough", "4MiB"];

test("a node with a full disk fails no job, takes no more, and comes back with the room", async (context) => {
  const folder = mountSmall("full");
  if (folder === null) return context.skip("needs the right to mount a tmpfs");
  const { grpc } = await daemons.startScheduler();
  const cluster = await connect(grpc);
  daemons.startAgent(grpc, "full", LIMITS);
  await until("the node", async () => (await cluster.listNodes({})).nodes.length === 1 || null);

  // The script itself fills the disk: not even its own error can be written down.
  const ballast = join(folder, "ballast");
  const script = `[ "$TRAINYARD_NODE" = other ] || { cat /dev/zero > ${ballast}; exit 1; }`;
  const job = await submitScript(cluster, "r-1", script);
  await until(
    "the condition",
    async () => (await conditionsOf(cluster, "full")).includes("disk_full") || null,
  );
  daemons.startAgent(grpc, "other", LIMITS);
  await phaseIs(cluster, job, "SUCCEEDED");
  expect(await attemptsOf(cluster, job)).toEqual([
    "full node_failed disk_full",
    "other succeeded ",
  ]);

  rmSync(ballast);
  await until("room again", async () => (await conditionsOf(cluster, "full")).length === 0 || null);
  cluster.close();
});

test("a task whose supervisor is killed from outside costs the job nothing", async () => {
  const { grpc } = await daemons.startScheduler();
  const cluster = await connect(grpc);
  daemons.startAgent(grpc, "n1");
  const marker = join(daemons.dir, "again");
  const job = await submitScript(
    cluster,
    "r-1",
    `[ -e ${marker} ] || { touch ${marker}; sleep 60; }`,
  );
  const folder = join(daemons.dir, "n1", "tasks", job, "1-0");
  await until(
    "the script's first run",
    async () => readdirSync(daemons.dir).includes("again") || null,
  );
  const state: unknown = JSON.parse(readFileSync(join(folder, "state.json"), "utf8"));
  process.kill((state as { supervisor: { pid: number } }).supervisor.pid, "SIGKILL");
  await phaseIs(cluster, job, "SUCCEEDED");
  expect(await attemptsOf(cluster, job)).toEqual([
    "n1 node_failed supervisor_lost",
    "n1 succeeded ",
  ]);
  cluster.close();
});
