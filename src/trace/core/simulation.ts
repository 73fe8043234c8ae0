// A cluster in virtual time: jobs of a workload are submitted to the live cycle, simulated agents do
// what it says and report, and time jumps from one event to the next. Owns the order of what happens
// at one instant; decides nothing about jobs.
//
// At each instant: attempts go on and end, jobs arrive, the agents report, then a planning pass is
// made if one is due, and the agents take up its orders and report again.

import { assert, must } from "../../base/assert.ts";
import { type Refusal, RefusalError } from "../../base/errors.ts";
import { popHeap, pushHeap } from "../../base/heap.ts";
import { digest, type JobId } from "../../base/ids.ts";
import { checkpointsToDelete } from "../../checkpoint/core/retention.ts";
import { createState } from "../../scheduler/core/apply.ts";
import type {
  Accepted,
  Command,
  Envelope,
  ObservedTask,
  StoredPart,
} from "../../scheduler/core/commands.ts";
import { planStep, step } from "../../scheduler/core/cycle.ts";
import { checkpointIdOf } from "../../scheduler/core/decide-report.ts";
import type { ClusterEvent, EventOf, LoggedEvent } from "../../scheduler/core/events.ts";
import type { TaskExit } from "../../scheduler/core/job.ts";
import { changesNextPlan, changesPlan } from "../../scheduler/core/plan-changes.ts";
import type { Plan } from "../../scheduler/core/plan-types.ts";
import type { ClusterState, Policy, QueueSpec } from "../../scheduler/core/state.ts";
import { type AttemptWork, JobWork, type WorkModel } from "./job-work.ts";
import { VirtualAgents } from "./virtual-agents.ts";
import type { ClusterShape } from "./cluster.ts";
import { specOf, type TraceJob, type Workload } from "./workload.ts";

export interface SimulationSetup {
  readonly workload: Workload;
  readonly cluster: ClusterShape;
  readonly queues: readonly QueueSpec[];
  readonly policy: Policy;
  readonly work: WorkModel;
  /**
   * A pass is made right after a change, but not sooner than this after the one before: the virtual
   * counterpart of the live loop's pacing. 0 = after each change.
   */
  readonly passIntervalMs: number;
  /** The simulation ends here, whatever still runs; null = with the last job. */
  readonly untilMs: number | null;
  /** What the scheduler is told about a job beside its submission: how oracles know. */
  readonly inform: (id: JobId, job: TraceJob) => readonly Command[];
}

/** Who watches a simulation. Called in the order in which things happen. */
export interface SimulationObserver {
  /** The log grew by these. */
  onEvents(events: readonly LoggedEvent[]): void;
  /** `work` was placed (sign 1) or has left (sign -1). */
  onHeld(work: JobWork, sign: 1 | -1, nowMs: number): void;
  /** Before and after a planning pass: how long it takes is the observer's to measure. */
  onPassStart(): void;
  onPassEnd(plan: Plan): void;
  /** Called at multiples of `sampleMs`, after all that happens at that instant. */
  onSample(state: ClusterState, nowMs: number): void;
  readonly sampleMs: number;
}

export interface SimulationEnd {
  readonly state: ClusterState;
  /** One for each job that was submitted, in the order of the workload. */
  readonly works: readonly JobWork[];
  readonly endedAtMs: number;
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly work: JobWork;
  readonly attempt: AttemptWork;
  readonly kind: "running" | "finished" | "stopped" | "checkpoint";
}

const compareTimers = (a: Timer, b: Timer): number => a.atMs - b.atMs || a.order - b.order;

const RUNNING: ObservedTask["state"] = { kind: "running" };
const PREPARING: ObservedTask["state"] = { kind: "preparing" };
const EXITED_WELL: TaskExit = { reason: "exited", code: 0, message: "" };
const STOPPED: TaskExit = { reason: "stopped", code: 0, message: "" };
const NO_PARTS: readonly StoredPart[] = [];
/** Nobody reads a simulated checkpoint. */
const ANY_DIGEST = digest("0".repeat(64));
const NEVER = Number.POSITIVE_INFINITY;
/** Passes that are woken while nothing runs or comes and place nobody: more of them would not either. */
const IDLE_WAKES_MAX = 64;

export class Simulation {
  readonly #setup: SimulationSetup;
  readonly #observer: SimulationObserver;
  readonly #state = createState();
  readonly #agents: VirtualAgents;
  readonly #works: JobWork[] = [];
  readonly #byId = new Map<JobId, JobWork>();
  readonly #timers: Timer[] = [];
  /** Apart from the others: a checkpoint is told to the scheduler only when it plans next. */
  readonly #checkpointTimers: Timer[] = [];
  #isSetUp = false;
  #timerCount = 0;
  #nowMs = 0;
  #passDueMs = NEVER;
  /** Since anything happened that calls for a pass. */
  #idleWakes = 0;
  #passedMs = Number.NEGATIVE_INFINITY;
  #wakeMs = NEVER;
  #sampleMs = 0;

  constructor(setup: SimulationSetup, observer: SimulationObserver) {
    this.#setup = setup;
    this.#observer = observer;
    this.#agents = new VirtualAgents(setup.cluster);
  }

  /**
   * Goes on for at most so many instants; true when the simulation is over. In between, a caller
   * may look whether it is still wanted.
   */
  advance(instantsMax: number): boolean {
    if (!this.#isSetUp) this.#setUp();
    const endMs = this.#setup.untilMs ?? NEVER;
    for (let instants = 0; instants < instantsMax; instants += 1) {
      const nextMs = this.#nextMs();
      if (nextMs > endMs || nextMs === NEVER || this.#isOver()) return true;
      assert(nextMs >= this.#nowMs, "virtual time runs backwards");
      this.#nowMs = nextMs;
      this.#instant();
    }
    return false;
  }

  /** What there is so far. */
  end(): SimulationEnd {
    return { state: this.#state, works: this.#works, endedAtMs: this.#nowMs };
  }

  #setUp(): void {
    const { queues, policy } = this.#setup;
    this.#isSetUp = true;
    this.#send({ kind: "policy.apply", policy });
    this.#send({ kind: "queue.apply", queues, prune: true });
    for (const registration of this.#agents.registrations()) this.#send(registration);
  }

  #isOver(): boolean {
    const { jobs } = this.#setup.workload;
    const { active, pending } = this.#state;
    return this.#works.length === jobs.length && active.size === 0 && pending.size === 0;
  }

  /** Infinite when nothing will ever happen again: jobs that never fit wait for ever. */
  #nextMs(): number {
    const submitMs = this.#setup.workload.jobs[this.#works.length]?.submitMs ?? NEVER;
    const isIdle = submitMs === NEVER && this.#state.active.size === 0;
    const isStuck = isIdle && this.#idleWakes >= IDLE_WAKES_MAX;
    const timerMs = this.#timers[0]?.atMs ?? NEVER;
    const wakeMs = isStuck ? NEVER : this.#paced(this.#wakeMs);
    const nextMs = Math.min(submitMs, timerMs, wakeMs, this.#passDueMs);
    return nextMs === NEVER ? NEVER : Math.min(nextMs, this.#sampleMs);
  }

  #instant(): void {
    this.#runTimers();
    this.#submitDue();
    this.#report();
    if (this.#paced(this.#wakeMs) <= this.#nowMs) {
      this.#wakeMs = NEVER;
      this.#idleWakes += 1;
      this.#send({ kind: "clock.tick" });
      this.#passDueMs = this.#nowMs;
    }
    if (this.#passDueMs <= this.#nowMs) this.#plan();
    if (this.#sampleMs > this.#nowMs) return;
    this.#observer.onSample(this.#state, this.#nowMs);
    this.#sampleMs += this.#observer.sampleMs;
  }

  /** The first instant from `atMs` on at which a pass may be made. */
  #paced(atMs: number): number {
    return Math.max(atMs, this.#nowMs, this.#passedMs + this.#setup.passIntervalMs);
  }

  #runTimers(): void {
    while ((this.#timers[0]?.atMs ?? NEVER) <= this.#nowMs) {
      const { work, attempt, kind } = popHeap(this.#timers, compareTimers);
      if (work.attempt !== attempt) continue;
      if (kind === "running") this.#observe(work, attempt, RUNNING);
      else if (kind === "stopped") this.#stopped(work, attempt);
      else if (attempt.stoppedAtMs === null) {
        work.isFinished = true;
        this.#observe(work, attempt, { kind: "ended", exit: EXITED_WELL });
      }
    }
  }

  #submitDue(): void {
    const { workload, work, inform } = this.#setup;
    for (;;) {
      const job = workload.jobs[this.#works.length];
      if (job === undefined || job.submitMs > this.#nowMs) return;
      const spec = specOf(job, work.stopMs);
      const reply = this.#ask({ kind: "job.submit", spec }, job.owner);
      if (reply.kind === "refusal") {
        throw new RefusalError({ ...reply, message: `${job.origin}: ${reply.message}` });
      }
      const id = must(reply.jobId, job.origin);
      const submitted = new JobWork(id, job, work);
      this.#works.push(submitted);
      this.#byId.set(id, submitted);
      for (const command of inform(id, job)) this.#send(command);
    }
  }

  #plan(): void {
    this.#passDueMs = NEVER;
    this.#passedMs = this.#nowMs;
    this.#storeCheckpoints();
    this.#observer.onPassStart();
    const { events, plan } = planStep(this.#state, this.#nowMs);
    this.#observer.onPassEnd(plan);
    this.#wakeMs = plan.wakeAtMs ?? NEVER;
    this.#happened(events, changesNextPlan);
    this.#runTimers();
    this.#report();
  }

  /** Tells the scheduler of the newest checkpoint of every attempt that has taken one since. */
  #storeCheckpoints(): void {
    const taken: JobWork[] = [];
    while ((this.#checkpointTimers[0]?.atMs ?? NEVER) <= this.#nowMs) {
      const { work, attempt } = popHeap(this.#checkpointTimers, compareTimers);
      if (work.attempt !== attempt || work.isFinished) continue;
      const takenAtMs = work.takeCheckpoints(attempt, this.#nowMs);
      this.#store(work, attempt, takenAtMs, RUNNING);
      taken.push(work);
      this.#setCheckpointTimer(work, attempt);
    }
    if (taken.length === 0) return;
    this.#report();
    for (const work of taken) this.#commit(work);
  }

  /** The first rank has the files, as in data-parallel training; the others say that they have none. */
  #store(
    work: JobWork,
    attempt: AttemptWork,
    takenAtMs: number,
    state: ObservedTask["state"],
  ): void {
    const step = work.progressMs(attempt, takenAtMs);
    work.savedMs = step;
    work.savedIn = checkpointIdOf(work.id, step, attempt.number);
    const part = { step, takenAtMs, sizeBytes: 0, uploadedBytes: 0 };
    this.#agents.observe(work, attempt, (rank) => ({
      state,
      parts: [{ ...part, digest: rank === 0 ? ANY_DIGEST : null }],
    }));
  }

  #commit(work: JobWork): void {
    const jobId = work.id;
    const checkpointId = must(work.savedIn, jobId);
    this.#send({ kind: "checkpoint.commit", jobId, checkpointId, manifestDigest: ANY_DIGEST });
    const known = must(this.#state.jobs.get(jobId), jobId);
    const resumeFrom = "attempt" in known.phase ? known.phase.attempt.resumeFrom : null;
    const inUse = new Set(resumeFrom === null ? [] : [resumeFrom]);
    for (const old of checkpointsToDelete(known.checkpoints, 1, inUse)) {
      this.#send({ kind: "checkpoint.delete", jobId, checkpointId: old });
    }
  }

  #stopped(work: JobWork, attempt: AttemptWork): void {
    const ended = { kind: "ended", exit: STOPPED } as const;
    const stoppedAtMs = must(attempt.stoppedAtMs, work.id);
    const isWorthSaving = work.progressMs(attempt, stoppedAtMs) > work.savedMs;
    if (!this.#setup.work.savesOnStop || !isWorthSaving) return this.#observe(work, attempt, ended);
    this.#store(work, attempt, stoppedAtMs, ended);
    this.#report();
    this.#commit(work);
  }

  #observe(work: JobWork, attempt: AttemptWork, state: ObservedTask["state"]): void {
    this.#agents.observe(work, attempt, () => ({ state, parts: NO_PARTS }));
  }

  #report(): void {
    for (const report of this.#agents.takeReports(this.#state.seq)) {
      this.#send({ kind: "node.report", report }, { agent: report.nodeId });
    }
  }

  #send(command: Command, actor: Envelope["actor"] = "scheduler"): JobId | null {
    const reply = this.#ask(command, actor);
    assert(
      reply.kind === "accepted",
      `${command.kind}: ${"message" in reply ? reply.message : ""}`,
    );
    return reply.jobId;
  }

  #ask(command: Command, actor: Envelope["actor"]): Accepted | Refusal {
    const envelope: Envelope = { command, actor, request: null };
    const { events, reply } = step(this.#state, envelope, this.#nowMs);
    this.#happened(events, changesPlan);
    return reply;
  }

  #happened(events: readonly LoggedEvent[], calls: (event: ClusterEvent) => boolean): void {
    if (events.length === 0) return;
    this.#observer.onEvents(events);
    for (const { event } of events) {
      if (calls(event)) this.#idleWakes = 0;
      if (calls(event) && !this.#isOnlyStart(event))
        this.#passDueMs = Math.min(this.#passDueMs, this.#paced(this.#nowMs));
      if (event.kind === "job.placed") this.#placed(event);
      else if (event.kind === "job.stopping") this.#stopping(event);
      else if (event.kind === "attempt.ended") this.#attemptEnded(event);
      else if (event.kind === "job.ended") this.#workOf(event.jobId).endedAtMs = this.#nowMs;
    }
  }

  /**
   * Live, a started task calls for a pass since its time limit begins to run. Without one, the pass
   * that placed it has said all there is to say.
   */
  #isOnlyStart(event: ClusterEvent): boolean {
    return event.kind === "task.started" && this.#workOf(event.jobId).job.timeLimitMs === null;
  }

  #placed(event: EventOf<"job.placed">): void {
    const work = this.#workOf(event.jobId);
    assert(event.resumeFrom === work.savedIn, `${work.id} resumes from what it saved last`);
    const nodes = event.placement.map(({ nodeId }) => nodeId);
    const attempt = work.begin(event.attempt, nodes, this.#nowMs);
    this.#observer.onHeld(work, 1, this.#nowMs);
    const isAtOnce = attempt.runningAtMs <= this.#nowMs;
    this.#observe(work, attempt, isAtOnce ? RUNNING : PREPARING);
    if (!isAtOnce) this.#setTimer(work, attempt, "running", attempt.runningAtMs);
    this.#setTimer(work, attempt, "finished", work.finishAtMs(attempt));
    this.#setCheckpointTimer(work, attempt);
  }

  #stopping({ jobId, cause }: EventOf<"job.stopping">): void {
    const work = this.#workOf(jobId);
    const attempt = must(work.attempt, jobId);
    if (attempt.stoppedAtMs !== null) return;
    attempt.stoppedAtMs = this.#nowMs;
    if (cause.kind === "preempted") work.preemptions += 1;
    this.#setTimer(work, attempt, "stopped", this.#nowMs + this.#setup.work.stopMs);
  }

  #attemptEnded({ jobId, outcome }: EventOf<"attempt.ended">): void {
    const work = this.#workOf(jobId);
    this.#observer.onHeld(work, -1, this.#nowMs);
    work.end(must(work.attempt, jobId), this.#nowMs, outcome === "succeeded");
    // Somebody is waiting for just this room: that pass is not put off.
    if (outcome === "preempted") this.#passDueMs = this.#nowMs;
  }

  #setCheckpointTimer(work: JobWork, attempt: AttemptWork): void {
    const atMs = work.nextCheckpointMs(attempt);
    if (atMs === null) return;
    const timer = {
      atMs,
      order: (this.#timerCount += 1),
      work,
      attempt,
      kind: "checkpoint",
    } as const;
    pushHeap(this.#checkpointTimers, timer, compareTimers);
  }

  #setTimer(work: JobWork, attempt: AttemptWork, kind: Timer["kind"], atMs: number): void {
    pushHeap(
      this.#timers,
      { atMs, order: (this.#timerCount += 1), work, attempt, kind },
      compareTimers,
    );
  }

  #workOf(id: JobId): JobWork {
    return must(this.#byId.get(id), id);
  }
}
