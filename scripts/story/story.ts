// The main job, played with real processes: a borrowed cluster, a guarantee claimed, a node taken
// away, and a training run that goes on elsewhere as if nothing had been.

import type { Cluster } from "../../src/cli/cluster.ts";
import type { Job__Output } from "../../src/rpc/gen/trainyard/v1/Job.ts";
import { cli, pause } from "./cluster.ts";
import type { Show } from "./show.ts";
import {
  type JobSummary,
  preemptToResume,
  type Summary,
  summariseJob,
  timeline,
} from "./summary.ts";

const DDP_STEPS = 60;
const FSDP_STEPS = 20;
const STEP_SECONDS = "0.1";
const SAVE_EVERY = "10";
/** No single wait may take longer; on a slow machine Python alone needs 20 s to start. */
const WAIT_MS = 180_000;
const POLL_MS = 150;
const ENDED = ["SUCCEEDED", "FAILED", "CANCELLED"];

export interface Stage {
  readonly cluster: Cluster;
  readonly show: Show;
  readonly startedAtMs: number;
}

export async function play(stage: Stage): Promise<Summary> {
  const { show } = stage;
  show.title("1  Team research borrows the cluster for a DDP job; node-1 is not in service yet");
  await command(stage, ["node", "cordon", "node-1"]);
  const ddp = await submit(stage, "ddp", ["--queue", "research", "--priority", "low"], DDP_STEPS);
  const saved = (job: Job__Output): boolean => job.checkpoint !== null;
  const borrower = await until(stage, ddp, "its first checkpoint is committed", saved);
  await command(stage, ["node", "resume", "node-1"]);

  // Nodes that have a job's code already are preferred, and both jobs have the same: without this
  // the FSDP job would take the node that leaves, and be preempted for it in turn.
  const broken = firstNodeOf(borrower);
  show.title(`2  Team prod claims its guarantee for an FSDP job; ${broken} is to be repaired`);
  await command(stage, ["node", "cordon", broken]);
  const fsdp = await submit(stage, "fsdp", ["--queue", "prod"], FSDP_STEPS);
  await until(stage, ddp, "the DDP job is asked to save and leave", isLeaving);
  await explain(stage, fsdp);
  await until(stage, fsdp, "the FSDP job runs", (job) => job.phase === "RUNNING");

  show.title(`3  ${broken} is taken away; the DDP job comes back elsewhere`);
  await command(stage, ["node", "drain", broken]);
  await until(stage, fsdp, "the FSDP job has ended", hasEnded);
  await until(stage, ddp, "the DDP job has ended", hasEnded);

  show.title("4  The same job without interruption, to compare");
  const reference = await submit(stage, "ddp", ["--queue", "research"], DDP_STEPS, "reference");
  await until(stage, reference, "the reference has ended", hasEnded);
  return summarise(stage, { ddp, fsdp, reference });
}

const hasEnded = (job: Job__Output): boolean => ENDED.includes(job.phase);
const isLeaving = (job: Job__Output): boolean => job.phase === "PREEMPTING" || job.preemptions > 0;

async function submit(
  stage: Stage,
  kind: "ddp" | "fsdp",
  flags: readonly string[],
  steps: number,
  name: string = kind,
): Promise<string> {
  const shape = ["--nodes", "2", "--gpus", "2", "--grace", "60s", "--workdir", "examples"];
  const pace = ["--save-every", SAVE_EVERY, "--step-seconds", STEP_SECONDS];
  const exact = kind === "ddp" ? ["--bitwise"] : [];
  const script = ["--steps", String(steps), ...pace, ...exact];
  const argv = ["submit", `${kind}/train.py`, "--name", name, ...flags, ...shape, "--", ...script];
  stage.show.command(`trainyard ${argv.join(" ")}`);
  const printed = await cli(stage.cluster.server, ["submit", "--output", "json", ...argv.slice(1)]);
  const { jobId } = JSON.parse(printed) as { jobId: string };
  stage.show.event(`${jobId} "${name}" is accepted`);
  return jobId;
}

/** Shows what happens to the job until `is` holds; says so, and fails when it never does. */
async function until(
  stage: Stage,
  id: string,
  what: string,
  is: (job: Job__Output) => boolean,
): Promise<Job__Output> {
  const untilMs = Date.now() + WAIT_MS;
  for (;;) {
    const job = await jobOf(stage, id);
    if (is(job)) {
      stage.show.event(what + nodesOf(job));
      return job;
    }
    if (hasEnded(job)) throw new Error(`${id} is ${job.phase} before ${what}: ${job.why}`);
    if (Date.now() > untilMs) throw new Error(`${id}: after ${WAIT_MS / 1000} s not yet: ${what}`);
    stage.show.progress(await describe(stage, job));
    await pause(POLL_MS);
  }
}

async function jobOf(stage: Stage, id: string): Promise<Job__Output> {
  const { job } = await stage.cluster.getJob({ job: id });
  if (job === null) throw new Error(`${id} is gone`);
  return job;
}

function nodesOf(job: Job__Output): string {
  const nodes = job.attempts.at(-1)?.placement.map((task) => task.node) ?? [];
  return job.phase === "RUNNING" ? ` on ${nodes.join(" and ")}` : "";
}

async function describe(stage: Stage, job: Job__Output): Promise<string> {
  const { metrics } = await stage.cluster.latestMetrics({ runId: job.runId }).catch(() => ({
    metrics: [],
  }));
  const loss = metrics.find((metric) => metric.name === "loss");
  const trained = loss === undefined ? "" : `  step ${loss.step}  loss ${loss.value.toFixed(4)}`;
  const waits = job.hold === null ? "" : `  ${job.hold.message}`;
  return `${job.spec?.name ?? job.id} ${job.phase}${trained}${waits}`;
}

async function explain(stage: Stage, id: string): Promise<void> {
  stage.show.command(`trainyard explain ${id}`);
  const { lines } = await stage.cluster.explainJob({ job: id });
  for (const line of lines) stage.show.plain(`           ${line}`);
}

function firstNodeOf(job: Job__Output): string {
  const node = job.attempts.at(-1)?.placement[0]?.node;
  if (node === undefined) throw new Error(`${job.id} has no nodes`);
  return node;
}

async function command(stage: Stage, argv: readonly string[]): Promise<void> {
  stage.show.command(`trainyard ${argv.join(" ")}`);
  await cli(stage.cluster.server, argv);
}

interface Ids {
  readonly ddp: string;
  readonly fsdp: string;
  readonly reference: string;
}

async function summarise(stage: Stage, ids: Ids): Promise<Summary> {
  const { cluster, show } = stage;
  const [ddp, fsdp, reference] = await Promise.all(
    [ids.ddp, ids.fsdp, ids.reference].map((id) => jobOf(stage, id)),
  );
  if (ddp === undefined || fsdp === undefined || reference === undefined)
    throw new Error("no jobs");
  const [curve, twin, sharded] = await Promise.all([
    curveOf(cluster, ddp, DDP_STEPS),
    curveOf(cluster, reference, DDP_STEPS),
    curveOf(cluster, fsdp, FSDP_STEPS),
  ]);
  const events = await Promise.all(
    [ddp, fsdp].map(async (job) => ({
      name: job.spec?.name ?? job.id,
      events: (await cluster.listJobEvents({ job: job.id })).events,
    })),
  );
  show.title("What happened");
  for (const line of timeline(events)) show.plain(line);
  const jobs: readonly JobSummary[] = [
    summariseJob(ddp, curve.at(-1) ?? null),
    summariseJob(fsdp, sharded.at(-1) ?? null),
    summariseJob(reference, twin.at(-1) ?? null),
  ];
  const isSame = sayWhetherEqual(show, curve, twin);
  const committed = await Promise.all(
    [ddp, fsdp, reference].map(async (job) => countCommitted(cluster, job)),
  );
  return {
    ok: isSame && jobs.every((job) => job.phase === "SUCCEEDED") && movedAway(jobs[0]),
    jobs,
    referenceFinalLoss: twin.at(-1) ?? null,
    preemptToResumeSeconds: preemptToResume(ddp, events[0]?.events ?? []),
    lostGpuSeconds: ddp.lostGpuSeconds + fsdp.lostGpuSeconds,
    checkpointsCommitted: committed.reduce((sum, count) => sum + count, 0),
    seconds: (Date.now() - stage.startedAtMs) / 1000,
  };
}

/** Loss by step. Metrics follow the process by a moment: waits until the last one is there. */
async function curveOf(
  cluster: Cluster,
  job: Job__Output,
  steps: number,
): Promise<readonly number[]> {
  const untilMs = Date.now() + 10_000;
  for (;;) {
    const query = { runId: job.runId, metric: "loss", points: 100_000 };
    const { value } = await cluster.queryMetric(query);
    if (value.length >= steps || Date.now() > untilMs) return value;
    await pause(POLL_MS);
  }
}

/** Older ones are deleted by then: the log of what was committed tells. */
async function countCommitted(cluster: Cluster, job: Job__Output): Promise<number> {
  const { events } = await cluster.listJobEvents({ job: job.id });
  return events.filter((event) => event.kind === "checkpoint.committed").length;
}

function movedAway(ddp: JobSummary | undefined): boolean {
  const first = ddp?.nodes[0] ?? [];
  const last = ddp?.nodes.at(-1) ?? [];
  return (ddp?.nodes.length ?? 0) > 1 && first.join() !== last.join();
}

function sayWhetherEqual(show: Show, curve: readonly number[], twin: readonly number[]): boolean {
  const differing = [...twin.keys()].filter((step) => !Object.is(twin[step], curve[step]));
  const isSame = differing.length === 0 && curve.length === twin.length && curve.length > 0;
  show.plain("");
  if (isSame) {
    show.plain(
      `The interrupted run's loss equals the uninterrupted one's in all ${curve.length} steps, ` +
        `to the last bit: ${curve[0]} … ${curve.at(-1)}.`,
    );
    return true;
  }
  const first = differing[0] ?? curve.length;
  show.plain(
    `The loss curves differ in ${differing.length} of ${twin.length} steps, first in step ` +
      `${first + 1}: ${curve[first]} and, without interruption, ${twin[first]}.`,
  );
  return false;
}
