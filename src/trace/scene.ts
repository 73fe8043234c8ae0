// Reads what is simulated: the jobs of a trace, of a description or of a log, the cluster they run on,
// and the queues.

import { readFile } from "node:fs/promises";
import { must } from "../base/assert.ts";
import { RefusalError } from "../base/errors.ts";
import { queuePath } from "../base/ids.ts";
import { type NodeGroupSettings, readClusterFile } from "../config/cluster-file.ts";
import { readQueuesFile } from "../config/queues-file.ts";
import { readWorkloadFile } from "../config/workload-file.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import { holdMessage } from "../scheduler/core/hold-words.ts";
import { count } from "../scheduler/core/wording.ts";
import type { MutableClusterState, Policy, QueueSpec } from "../scheduler/core/state.ts";
import {
  alike,
  type ClusterShape,
  clusterText,
  gpusOfNode,
  misfitOf,
  mostCommon,
  nodeOfGpus,
} from "./core/cluster.ts";
import { HistoryReader, type PastWorkload } from "./core/history.ts";
import { type ClusterWish, isPath, type SimulateRequest } from "./core/request.ts";
import { generate, type SyntheticSpec } from "./core/synthetic.ts";
import { parseTrace } from "./core/trace-csv.ts";
import { specOf, type TraceJob, type Workload, workloadOf } from "./core/workload.ts";
import { WORKLOAD_PRESETS } from "./core/workload-presets.ts";
import { refusal, unknownName } from "./names.ts";

/** An event log, opened to be read. */
export interface History {
  /** Before the first of `events`. */
  readonly state: MutableClusterState;
  readonly events: Iterable<LoggedEvent> | AsyncIterable<LoggedEvent>;
  close(): Promise<void>;
}

export interface HistoryPorts {
  openHistory(path: string): Promise<History>;
}

/** What is simulated, before any policy. */
export interface Scene {
  readonly workload: Workload;
  readonly cluster: ClusterShape;
  readonly leftOut: number;
  /** Of a log; null = made from the tenants. */
  readonly queues: readonly QueueSpec[] | null;
  /** Of a log; null = there is none. */
  readonly policy: Policy | null;
  /** Priority classes that jobs may be of beside those of the policy. */
  readonly priorityClasses: Policy["priorityClasses"];
}

const NO_PAST = { leftOut: 0, queues: null, policy: null, priorityClasses: {} } as const;

const DEFAULT_NODES = 64;
const DEFAULT_GPUS = 8;

export async function readScene(request: SimulateRequest, ports: HistoryPorts): Promise<Scene> {
  const { source, isOversizeSkipped } = request;
  switch (source.kind) {
    case "trace": {
      const { path: file, columns } = source;
      const cluster = await clusterOf(request.cluster, null);
      const format = { file, nodeGpus: gpusOfNode(cluster), ...columns };
      const parsed = parseTrace(await readText(file), format);
      if (parsed.kind === "refusal") throw new RefusalError(parsed);
      return fitted({ ...NO_PAST, workload: parsed.workload, cluster }, isOversizeSkipped);
    }
    case "synthetic": {
      const spec = await workloadNamed(source.name);
      const cluster = await clusterOf(request.cluster, null);
      const jobs = source.jobs ?? spec.jobs;
      const workload = generate({ ...spec, jobs }, source.seed, gpusOfNode(cluster));
      return fitted({ ...NO_PAST, workload, cluster }, isOversizeSkipped);
    }
    case "log": {
      const past = await readPast(source.path, ports);
      const cluster = await clusterOf(request.cluster, past.cluster);
      return fitted({ ...past, cluster }, isOversizeSkipped);
    }
  }
}

/** `past`: of the log; then what is asked for is more or fewer nodes of the kind it has most of. */
async function clusterOf(
  { path, nodes, gpusPerNode }: ClusterWish,
  past: ClusterShape | null,
): Promise<ClusterShape> {
  if (path !== null) return clusterFrom(await readClusterFile(path));
  if (past === null) return alike(nodes ?? DEFAULT_NODES, nodeOfGpus(gpusPerNode ?? DEFAULT_GPUS));
  if (nodes === null && gpusPerNode === null) return past;
  return alike(nodes ?? past.nodes.length, mostCommon(past), gpusPerNode ?? undefined);
}

function clusterFrom(groups: readonly NodeGroupSettings[]): ClusterShape {
  const nodes = groups.flatMap(({ count, gpus, type, island, ...node }) => {
    return alike(count, { ...nodeOfGpus(gpus, type, island), ...node }).nodes;
  });
  return { nodes };
}

const OTHER_NODES = "Give it other nodes with --nodes, --gpus-per-node or --cluster";

/** Refuses or leaves out what the cluster can never hold. */
function fitted(scene: Scene, isOversizeSkipped: boolean): Scene {
  const { cluster, workload, leftOut } = scene;
  const misfit = misfitOf(cluster);
  const fits = (job: TraceJob): boolean => misfit(specOf(job, 0)) === null;
  const tooLarge = workload.jobs.filter((job) => !fits(job));
  const [first] = tooLarge;
  if (first === undefined) return scene;
  if (!isOversizeSkipped) {
    const hold = must(misfit(specOf(first, 0)), first.origin);
    throw refusal(
      "EXCEEDS_CLUSTER",
      `${first.origin}: ${holdMessage(hold)} The cluster has ${clusterText(cluster)}; ` +
        `${count(tooLarge.length, "job")} can never run there.`,
      `${OTHER_NODES}, or leave such jobs out with --skip-oversize.`,
    );
  }
  const jobs = workload.jobs.filter(fits);
  if (jobs.length === 0) {
    const message = `None of ${count(tooLarge.length, "job")} fits on ${clusterText(cluster)}.`;
    throw refusal("EXCEEDS_CLUSTER", message, `${OTHER_NODES}.`);
  }
  return { ...scene, workload: workloadOf(jobs), leftOut: leftOut + tooLarge.length };
}

async function readPast(path: string, ports: HistoryPorts): Promise<PastWorkload> {
  const history = await ports.openHistory(path);
  try {
    const reader = new HistoryReader(history.state);
    for await (const event of history.events) reader.next(event);
    const past = reader.finish();
    if (past.workload.jobs.length > 0) return past;
    throw refusal("INVALID_TRACE", `${path} has no job that ran and ended.`, "Use a longer log.");
  } finally {
    await history.close();
  }
}

async function workloadNamed(name: string): Promise<SyntheticSpec> {
  const preset = Object.hasOwn(WORKLOAD_PRESETS, name) ? WORKLOAD_PRESETS[name] : undefined;
  if (preset !== undefined) return preset.spec;
  if (isPath(name)) return readWorkloadFile(name);
  throw unknownName("workload", name, Object.keys(WORKLOAD_PRESETS), "./workload.yaml");
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal("LOCAL_FILE", `${path} can't be read: ${reason}.`, "Name a CSV file.");
  });
}

/** @throws RefusalError with the mistakes of the file. */
export async function readQueues(path: string): Promise<readonly QueueSpec[]> {
  const settings = await readQueuesFile(path);
  return settings.map((queue) => ({ ...queue, path: queuePath(queue.path) }));
}

/** Every tenant must be a leaf queue. */
export function refuseLostTenants({ jobs }: Workload, queues: readonly QueueSpec[]): void {
  const paths = new Set<string>(queues.map(({ path }) => path));
  const isLeaf = (path: string): boolean =>
    paths.has(path) && !queues.some((queue) => queue.path.startsWith(`${path}/`));
  const lost = jobs.find(({ tenant }) => !isLeaf(tenant));
  if (lost === undefined) return;
  throw refusal(
    "INVALID_TRACE",
    `${lost.origin}: the queues file has no leaf queue "${lost.tenant}".`,
    "Add it, or name the column that holds queue paths with --tenant-column.",
  );
}
