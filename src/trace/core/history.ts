// A cluster's own past as a workload: the jobs of an event log with what they really ran.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { apply } from "../../scheduler/core/apply.ts";
import type { ClusterEvent, LoggedEvent } from "../../scheduler/core/events.ts";
import { activeAttempt } from "../../scheduler/core/job.ts";
import { jobOf } from "../../scheduler/core/lookup.ts";
import type {
  MutableClusterState,
  NodeSpec,
  Policy,
  QueueSpec,
} from "../../scheduler/core/state.ts";
import type { ClusterShape, NodeShape } from "./cluster.ts";
import { type TraceJob, type Workload, workloadOf } from "./workload.ts";

export interface PastWorkload {
  readonly workload: Workload;
  /** Of the end of the log. */
  readonly queues: readonly QueueSpec[];
  readonly policy: Policy;
  /** All that there ever were, as they were last. */
  readonly priorityClasses: Policy["priorityClasses"];
  /** When most nodes were registered. */
  readonly cluster: ClusterShape;
  /** Jobs that are no part of it: still waiting or running, never started, or without GPUs. */
  readonly leftOut: number;
}

/** Folds a log. What a job needs is the time that its attempts ran, less the work that was lost. */
export class HistoryReader {
  readonly #state: MutableClusterState;
  readonly #jobs: TraceJob[] = [];
  /** Useful running time of the attempts so far. */
  readonly #ranMs = new Map<JobId, number>();
  /** Work that the last attempt did and did not save. */
  readonly #lostMs = new Map<JobId, number>();
  #submitted = 0;
  #classes: Policy["priorityClasses"] = {};
  #nodes: readonly NodeSpec[] = [];

  constructor(state: MutableClusterState) {
    this.#state = state;
    this.#nodesChanged();
    this.#seeClasses(state.policy);
  }

  next(logged: LoggedEvent): void {
    if (logged.event.kind === "attempt.ended") this.#attemptEnds(logged.event, logged.atMs);
    apply(this.#state, logged);
    if (logged.event.kind === "job.submitted") this.#submitted += 1;
    else if (logged.event.kind === "job.ended") this.#jobEnded(logged.event.jobId);
    else if (logged.event.kind === "job.requeued") this.#jobRequeued(logged.event.jobId);
    else if (logged.event.kind === "node.registered") this.#nodesChanged();
    else if (logged.event.kind === "policy.set") this.#seeClasses(this.#state.policy);
  }

  finish(): PastWorkload {
    return {
      workload: workloadOf(this.#jobs),
      queues: [...this.#state.queues.values()].map(({ spec }) => spec),
      policy: this.#state.policy,
      priorityClasses: this.#classes,
      cluster: { nodes: this.#nodes.map(shapeOfNode) },
      leftOut: this.#submitted - this.#jobs.length,
    };
  }

  #seeClasses({ priorityClasses }: Policy): void {
    this.#classes = { ...this.#classes, ...priorityClasses };
  }

  #nodesChanged(): void {
    const { nodes } = this.#state;
    if (nodes.size < this.#nodes.length) return;
    this.#nodes = [...nodes.values()].map(({ spec }) => spec);
  }

  #attemptEnds(event: Extract<ClusterEvent, { kind: "attempt.ended" }>, nowMs: number): void {
    const job = jobOf(this.#state, event.jobId);
    const { runningAtMs, placement } = must(activeAttempt(job.phase), job.id);
    if (runningAtMs === null) return;
    const gpus = placement.length * job.spec.perNode.gpus;
    this.#lostMs.set(job.id, gpus === 0 ? 0 : Math.round(event.lostGpuMs / gpus));
    const before = this.#ranMs.get(job.id) ?? 0;
    this.#ranMs.set(job.id, before + Math.max(0, nowMs - runningAtMs));
  }

  /** Only who starts again does lost work again: what ends for good needed all that it ran. */
  #jobRequeued(id: JobId): void {
    const lostMs = this.#lostMs.get(id) ?? 0;
    this.#lostMs.delete(id);
    this.#ranMs.set(id, Math.max(0, (this.#ranMs.get(id) ?? 0) - lostMs));
  }

  #jobEnded(id: JobId): void {
    const ranMs = this.#ranMs.get(id) ?? 0;
    this.#ranMs.delete(id);
    this.#lostMs.delete(id);
    const { spec, owner, submittedAtMs } = jobOf(this.#state, id);
    if (ranMs === 0 || spec.perNode.gpus === 0) return;
    const { name, priorityClass, perNode, gpuTypes, mixesGpuTypes, topology, spot } = spec;
    this.#jobs.push({
      submitMs: submittedAtMs,
      durationMs: ranMs,
      nodes: spec.nodes,
      gpusPerNode: spec.perNode.gpus,
      tenant: spec.queue,
      owner,
      timeLimitMs: spec.timeLimitMs,
      asks: { name, priorityClass, perNode, gpuTypes, mixesGpuTypes, topology, spot },
      origin: id,
    });
  }
}

/** Without its name: the simulated one has another. */
const shapeOfNode = ({ gpus, cpuMilli, memoryMib, labels }: NodeSpec): NodeShape => ({
  gpus: gpus.map(({ index, type, memoryMib: ofGpu, island }) => {
    return { index, type, memoryMib: ofGpu, island };
  }),
  cpuMilli,
  memoryMib,
  labels,
});
