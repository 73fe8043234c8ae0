// A full cluster for plan.ts: the real core with the load of a busy day, driven without disk, network
// or agents. The same seed gives the same cluster.

import { must } from "../../src/base/assert.ts";
import { atOnce } from "../../src/base/at-once.ts";
import { agentInstanceId, type JobId, type NodeId, nodeId, queuePath } from "../../src/base/ids.ts";
import { createPrng } from "../../src/base/prng.ts";
import type { Command, Envelope, ObservedTask } from "../../src/scheduler/core/commands.ts";
import {
  EXITED_WELL,
  jobSpec,
  nodeSpec,
  STOPPED,
  queueSpec,
} from "../../src/scheduler/core/fixture.ts";
import { activeAttempt, type JobSpec } from "../../src/scheduler/core/job.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import { type Leftovers, leftoversOf } from "../../src/scheduler/core/explain-when.ts";
import type { Explanation } from "../../src/scheduler/core/explain.ts";
import type { StartForecasts } from "../../src/scheduler/core/start-forecast.ts";
import { type MutableClusterState, type QueueSpec } from "../../src/scheduler/core/state.ts";
import type { Core } from "./built-core.ts";

export const GPUS = 8;
const USERS_PER_QUEUE = 8;
/** For each node: far more jobs than it holds, to fill it. */
const FILLING_JOBS = 6;
const FILLING_ROUNDS_MAX = 50;

export interface ClusterSize {
  readonly nodes: number;
  readonly queues: number;
}

export class BusyCluster {
  readonly #core: Core;
  readonly #state: MutableClusterState;
  readonly #prng = createPrng(1);
  #nowMs = 1_000_000;

  readonly #size: ClusterSize;

  /** Nodes and queues, and no job. */
  constructor(core: Core, size: ClusterSize) {
    this.#core = core;
    this.#size = size;
    this.#state = core.createState();
    const queues = Array.from({ length: size.queues }, (_, n) => queue(n, size));
    this.#send({ kind: "queue.apply", queues, prune: true });
    for (let n = 0; n < size.nodes; n += 1) this.#register(n);
  }

  get pending(): number {
    return this.#state.pending.size;
  }

  get running(): number {
    return this.#state.active.size;
  }

  /** Submits until nothing more starts and nobody leaves. */
  fill(): void {
    this.#submitMany(this.#size.nodes * FILLING_JOBS);
    for (let round = 0; round < FILLING_ROUNDS_MAX; round += 1) {
      const { starts, evictions, reservations } = this.plan();
      if (starts.length + evictions.length + reservations.length === 0) return;
      this.#reportAll();
    }
    throw new Error("the cluster does not come to rest");
  }

  /** Submits or cancels until exactly that many wait. */
  bringPendingTo(count: number): void {
    this.#submitMany(Math.max(0, count - this.pending));
    for (const jobId of [...this.#state.pending.ids()].slice(count)) {
      this.#send({ kind: "job.cancel", jobId, why: "too many" });
    }
  }

  /** What happens between two passes: agents do what they were told, and some jobs end. */
  passTime(ms: number, ends: number): void {
    this.#nowMs += ms;
    const ending = new Set<JobId>();
    const running = [...this.#state.active.keys()];
    const endingMax = Math.min(ends, running.length);
    while (ending.size < endingMax) ending.add(this.#prng.pick(running));
    const nodes = new Set<NodeId>();
    for (const id of this.#state.active.keys()) {
      const phase = this.#state.jobs.get(id)?.phase;
      if (phase === undefined || (phase.kind === "running" && !ending.has(id))) continue;
      for (const task of activeAttempt(phase)?.placement ?? []) nodes.add(task.nodeId);
    }
    for (const id of nodes) this.#report(id, ending);
  }

  plan(): Plan {
    return this.#core.planStep(this.#state, this.#nowMs).plan;
  }

  /** When those who wait will start; step by step. */
  forecast(): ReturnType<Core["forecast"]> {
    return this.#core.forecast(this.#state, this.#nowMs);
  }

  /** What one of those who wait is told, picked by `pick`, by the pass and a forecast. */
  explain(pick: number, plan: Plan, starts: StartForecasts): Explanation {
    const { holds } = plan;
    const ids = [...this.#state.pending.ids()];
    const id = must(ids[Math.floor(pick * (ids.length - 1))], "a waiting job");
    const moment = { state: this.#state, nowMs: this.#nowMs, starts, left: leftBy(plan) };
    return this.#core.explain(moment, id, holds.of(id));
  }

  /** What somebody would be told who submits a job like the others. */
  dryRun(plan: Plan, starts: StartForecasts): Explanation {
    const { spec, user } = this.#anyJob();
    const moment = { state: this.#state, nowMs: this.#nowMs, starts, left: leftBy(plan) };
    const asked = { spec, owner: { tenant: "default", user } };
    const told = atOnce(this.#core.explainSubmission(moment, asked));
    if (told.kind === "refusal") throw new Error(told.message);
    return told.explanation;
  }

  /** As `trainyard queue shares` shows them. */
  shares(): ReturnType<Core["queueViews"]> {
    return this.#core.queueViews(this.#state, this.#nowMs);
  }

  /** Of whole nodes. */
  submitGangs(count: number, nodes: number): void {
    const queue = queuePath("team-0");
    for (let n = 0; n < count; n += 1) {
      const spec = jobSpec({ queue, nodes, gpus: GPUS });
      this.#send({ kind: "job.submit", spec });
    }
  }

  #submitMany(count: number): void {
    for (let n = 0; n < count; n += 1) {
      this.#nowMs += 1;
      this.#submit();
    }
  }

  #submit(): void {
    const { spec, user } = this.#anyJob();
    this.#send({ kind: "job.submit", spec }, user);
  }

  /** One in ten is a gang of 2 to 4 whole nodes; most are small, and of the middle class. */
  #anyJob(): { readonly spec: JobSpec; readonly user: string } {
    const team = this.#prng.below(this.#size.queues);
    const isGang = this.#prng.chance(1, 10);
    const gpus = isGang ? GPUS : this.#prng.pick([1, 1, 2, 4, 8]);
    const spec = jobSpec({
      queue: queuePath(`team-${team}`),
      priorityClass: this.#prng.pick([
        "low",
        "low",
        "normal",
        "normal",
        "normal",
        "normal",
        "high",
      ]),
      nodes: isGang ? 2 + this.#prng.below(3) : 1,
      perNode: { gpus, cpuMilli: gpus * 6_000, memoryMib: gpus * 24_000 },
    });
    return { spec, user: `user-${team}-${this.#prng.below(USERS_PER_QUEUE)}` };
  }

  #reportAll(): void {
    for (const id of this.#state.nodes.keys()) this.#report(id, new Set());
  }

  #report(id: NodeId, ending: ReadonlySet<JobId>): void {
    const node = this.#state.nodes.get(id);
    if (node === undefined) return;
    const tasks = this.#core.desiredFor(this.#state, id).map((task): ObservedTask => {
      const { jobId, attempt, rank, stop } = task;
      const rendezvous = rank === 0 ? { host: "127.0.0.1", port: 29_500 } : null;
      const seen = { jobId, attempt, rank, rendezvous, parts: [] };
      if (stop !== null) return { ...seen, state: { kind: "ended", exit: STOPPED } };
      if (ending.has(jobId)) return { ...seen, state: { kind: "ended", exit: EXITED_WELL } };
      return { ...seen, state: { kind: "running" } };
    });
    const { instance } = node;
    const report = { nodeId: id, instance, generation: this.#state.seq, tasks, conditions: [] };
    this.#send({ kind: "node.report", report });
  }

  #register(n: number): void {
    const spec = nodeSpec(`node-${n}`, GPUS);
    const instance = agentInstanceId(`instance-${n}`);
    const report = { nodeId: nodeId(spec.id), instance, generation: 0, tasks: [], conditions: [] };
    this.#send({ kind: "node.register", spec, instance, report });
  }

  #send(command: Command, user = "operator"): void {
    const envelope: Envelope = { command, actor: { tenant: "default", user }, request: null };
    const { reply } = this.#core.step(this.#state, envelope, this.#nowMs);
    if (reply.kind === "refusal") throw new Error(`${command.kind}: ${reply.message}`);
  }
}

/** Nothing has happened since. */
const leftBy = ({ holds, findings }: Plan): Leftovers => leftoversOf(holds, () => findings);

function queue(n: number, { nodes, queues }: ClusterSize): QueueSpec {
  const path = queuePath(`team-${n}`);
  /** Together four fifths of the cluster: what the rest gets it borrows. */
  const guarantee = Math.floor((nodes * GPUS * 0.8) / queues);
  return queueSpec(path, { guarantee, weight: 1 + (n % 3) });
}
