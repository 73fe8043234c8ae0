// What must be true after every event, whatever broke: the state's own invariants, what the log says
// against what was promised, and what really runs on the virtual machines. Changes nothing.

import { must } from "../base/assert.ts";
import type { CheckpointId, JobId, RequestId } from "../base/ids.ts";
import { arrayIndexes, elementAt } from "../scheduler/core/array.ts";
import type { Accepted, Envelope } from "../scheduler/core/commands.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { ClusterEvent, EventOf, LoggedEvent } from "../scheduler/core/events.ts";
import { invariants } from "../scheduler/core/invariants.ts";
import type { TaskPlacement } from "../scheduler/core/job.ts";
import type { ClusterState } from "../scheduler/core/state.ts";
import type { Machine } from "./machine.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Process } from "./process.ts";
import { placementFaults } from "./state-checks.ts";
import type { Gang } from "./training.ts";
import { promise } from "./violation.ts";

/** What the durable log says about one job. */
interface JobTruth {
  attemptLast: number;
  isEnded: boolean;
  placement: readonly TaskPlacement[];
  /** Committed and neither rejected nor deleted, with their steps. */
  readonly committed: Map<CheckpointId, number>;
  /** In true time, oldest first, also of what was deleted since. */
  readonly commits: { readonly attempt: number; readonly step: number; readonly atMs: number }[];
}

export class Checks {
  private readonly nowMs: () => number;
  private readonly store: ObjectStore;
  private readonly machines: readonly Machine[];
  private readonly gangs: ReadonlyMap<string, Gang>;
  private readonly jobs = new Map<JobId, JobTruth>();
  private readonly submitted = new Map<RequestId, JobId>();
  private readonly promised = new Map<RequestId, JobId>();
  invariantCount = 0;

  constructor(
    nowMs: () => number,
    store: ObjectStore,
    machines: readonly Machine[],
    gangs: ReadonlyMap<string, Gang>,
  ) {
    this.nowMs = nowMs;
    this.store = store;
    this.machines = machines;
    this.gangs = gangs;
  }

  /** After each decision, before it is durable. */
  applied(state: ClusterState, events: readonly LoggedEvent[]): void {
    if (events.length === 0) return;
    this.invariantCount += 1;
    const faults = [...invariants(state), ...placementFaults(state, events)];
    promise(faults.length === 0, () => `invariants: ${faults.join("; ")}`);
  }

  durable(events: readonly LoggedEvent[]): void {
    for (const { event, request } of events) {
      const isSubmit = event.kind === "job.submitted" || event.kind === "array.submitted";
      if (isSubmit && request !== null) {
        promise(!this.submitted.has(request.id), () => `${request.id} made two jobs`);
        this.submitted.set(request.id, event.jobId);
      }
      this.durableEvent(event);
    }
  }

  /** A client was told that its job is safe: it stays so, under this one id. */
  replied(envelope: Envelope, reply: Accepted): void {
    if (envelope.command.kind !== "job.submit" || envelope.request === null) return;
    const { id } = envelope.request;
    const jobId = must(reply.jobId, `the job of ${id}`);
    promise(
      this.submitted.get(id) === jobId,
      () => `${id} was told ${jobId}, which is not durable`,
    );
    this.promised.set(id, jobId);
  }

  /** After a restart: nothing that was acknowledged is gone. */
  restarted(state: ClusterState): void {
    for (const [id, jobId] of this.promised) {
      const isThere = state.jobs.has(jobId) || state.arrays.has(jobId);
      promise(isThere, () => `${jobId}, acknowledged to ${id}, is lost`);
    }
  }

  /** A process is about to start, or its machine has woken up. */
  process(process: Process): void {
    const { jobId, attempt, rank } = process.key;
    const name = `${jobId}/${attempt}/${rank} on ${process.machine.name}`;
    const truth = this.jobs.get(jobId);
    promise(
      truth !== undefined && attempt <= truth.attemptLast,
      () => `${name} runs, and the log knows nothing of it`,
    );
    if (truth?.attemptLast === attempt) this.processPlaced(process, truth, name);
    for (const other of this.liveProcesses()) {
      if (other === process) continue;
      const otherName = `${other.key.jobId}/${other.key.attempt}/${other.key.rank} on ${other.machine.name}`;
      promise(!clash(process, other), () => `${name} runs beside ${otherName}`);
    }
  }

  /** A task restores: only what is committed, and not given up, may be resumed from. */
  restores(task: DesiredTask): void {
    const { resume, jobId } = task;
    if (resume === null) return;
    const isCommitted = this.jobs.get(jobId)?.committed.has(resume.checkpointId) ?? false;
    const isOver = task.attempt < (this.jobs.get(jobId)?.attemptLast ?? 0);
    promise(isCommitted || isOver, () => `${jobId} resumes from ${resume.checkpointId}`);
  }

  missing(task: DesiredTask): void {
    const isOver = task.attempt < (this.jobs.get(task.jobId)?.attemptLast ?? 0);
    const id = task.resume?.checkpointId ?? "";
    promise(isOver, () => `${task.jobId} is to resume from ${id}, which was deleted`);
  }

  /**
   * When the work up to this step was safe; infinite = never. By a commit of the step, or of a
   * higher one of its attempt: steps that some ranks skipped while they uploaded never become
   * whole, and nobody would resume from them.
   */
  safeAtMs(jobId: JobId, attempt: number, step: number): number {
    const covers = (one: { readonly attempt: number; readonly step: number }): boolean =>
      one.step === step || (one.attempt === attempt && one.step > step);
    return this.truthOf(jobId).commits.find(covers)?.atMs ?? Infinity;
  }

  private durableEvent(event: ClusterEvent): void {
    switch (event.kind) {
      case "job.submitted":
        return this.begin(event.jobId);
      case "array.submitted":
        arrayIndexes(event.spec).forEach((_, at) => this.begin(elementAt({ id: event.jobId }, at)));
        return;
      case "job.placed":
        return this.placed(event);
      case "checkpoint.part-stored":
        promise(
          event.attempt === this.truthOf(event.jobId).attemptLast,
          () => `${event.checkpointId} gathers parts of an attempt that is over`,
        );
        return;
      case "checkpoint.committed":
        return this.committed(event);
      case "checkpoint.rejected":
      case "checkpoint.deleted":
        this.truthOf(event.jobId).committed.delete(event.checkpointId);
        return;
      case "job.ended":
        return this.ended(event);
      default:
    }
  }

  private begin(jobId: JobId): void {
    this.jobs.set(jobId, {
      attemptLast: 0,
      isEnded: false,
      placement: [],
      committed: new Map(),
      commits: [],
    });
  }

  private placed(event: EventOf<"job.placed">): void {
    const truth = this.truthOf(event.jobId);
    promise(!truth.isEnded, () => `${event.jobId} is placed after its end`);
    promise(
      event.attempt === truth.attemptLast + 1,
      () => `${event.jobId}: attempt ${event.attempt} after ${truth.attemptLast}`,
    );
    const newest = Math.max(-1, ...truth.committed.values());
    const step = event.resumeFrom === null ? -1 : (truth.committed.get(event.resumeFrom) ?? -2);
    promise(
      step === newest,
      () => `${event.jobId} is to resume from ${event.resumeFrom}; step ${newest} is committed`,
    );
    truth.attemptLast = event.attempt;
    truth.placement = event.placement;
  }

  private committed(event: EventOf<"checkpoint.committed">): void {
    const truth = this.truthOf(event.jobId);
    const manifest = this.store.manifest(event.manifestDigest);
    const { checkpointId } = event;
    promise(
      manifest.attempt === truth.attemptLast && manifest.checkpointId === checkpointId,
      () => `${checkpointId} is committed at attempt ${truth.attemptLast}`,
    );
    const found = this.store.read(event.manifestDigest);
    const ranks = new Set(manifest.parts.map((part) => part.rank));
    const isWhole = ranks.size === truth.placement.length;
    promise(
      isWhole && (found?.kind === "ok" || manifest.isCorrupt),
      () => `${checkpointId} is committed with parts ${JSON.stringify(manifest.parts)}`,
    );
    truth.committed.set(checkpointId, manifest.step);
    const { attempt, step } = manifest;
    truth.commits.push({ attempt, step, atMs: this.nowMs() });
  }

  private ended(event: EventOf<"job.ended">): void {
    const truth = this.truthOf(event.jobId);
    promise(!truth.isEnded, () => `${event.jobId} ends twice`);
    truth.isEnded = true;
    if (event.result.kind !== "succeeded") return;
    const gang = this.gangs.get(`${event.jobId}/${truth.attemptLast}`);
    promise(
      gang?.isFinished === true,
      () => `${event.jobId} counts as succeeded, but attempt ${truth.attemptLast} did not finish`,
    );
  }

  private processPlaced(process: Process, truth: JobTruth, name: string): void {
    const placed = truth.placement[process.key.rank];
    promise(
      placed?.nodeId === process.machine.name && placed.gpus.join() === process.gpus.join(),
      () => `${name} uses GPUs ${process.gpus.join()}, placed was ${JSON.stringify(placed)}`,
    );
  }

  private *liveProcesses(): Generator<Process> {
    for (const machine of this.machines) {
      for (const process of machine.processes) if (counts(process)) yield process;
    }
  }

  private truthOf(jobId: JobId): JobTruth {
    return must(this.jobs.get(jobId), jobId);
  }
}

/**
 * Whether it uses its GPUs. A machine that sleeps through its lease runs nothing; when it wakes,
 * its supervisors need a moment to see that, which no design can avoid, and what is stored then is
 * fenced.
 */
function counts(process: Process): boolean {
  if (process.isOver || process.isPastLease) return false;
  return !(process.machine.isSuspended && process.machine.leaseLeftMs() <= 0);
}

function clash(a: Process, b: Process): boolean {
  if (!counts(a) || !counts(b)) return false;
  const isSameJob = a.key.jobId === b.key.jobId;
  if (isSameJob && a.key.attempt !== b.key.attempt) return true;
  if (isSameJob && a.key.rank === b.key.rank) return true;
  return a.machine === b.machine && a.gpus.some((gpu) => b.gpus.includes(gpu));
}
