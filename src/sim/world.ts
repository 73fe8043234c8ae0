// One run of one seed: builds the cluster, lets it break (safety: nothing may be wrong), mends it
// (liveness: everything that can end must end), and compares the disk with the memory at the end.

import { must } from "../base/assert.ts";
import { agentInstanceId, type JobId } from "../base/ids.ts";
import { createPrng, type Prng } from "../base/prng.ts";
import { holdOf } from "../scheduler/core/admission.ts";
import { createState } from "../scheduler/core/apply.ts";
import { arrayIndexes, elementsOf } from "../scheduler/core/array.ts";
import { isWhole } from "../scheduler/core/decide-checkpoint.ts";
import { isEnded, type Job } from "../scheduler/core/job.ts";
import type { ClusterState } from "../scheduler/core/state.ts";
import { Replay } from "../trace/core/replay.ts";
import { Agent } from "./agent.ts";
import { Chaos } from "./chaos.ts";
import { Checks } from "./checks.ts";
import { Client } from "./client.ts";
import { DurableLog, encodeText } from "./durable-log.ts";
import { drawFaults, type Faults, NO_FAULTS } from "./faults.ts";
import { DRIFT_MAX_PPM } from "./host-clock.ts";
import { Machine } from "./machine.ts";
import { describe } from "./messages.ts";
import { Network } from "./network.ts";
import { ObjectStore } from "./object-store.ts";
import { Operator } from "./operator.ts";
import { NO_SABOTAGE, type Sabotage } from "./sabotage.ts";
import { EPOCH_MS, Scheduler } from "./scheduler.ts";
import type { Message, Stream, StreamSide } from "./stream.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { Gang } from "./training.ts";
import { promise } from "./violation.ts";
import { couldRun, drawWorkload, type Workload } from "./workload.ts";

/** Room for restarts, backoff and waiting beside the work itself, once everything is healed. */
const HEALED_BASE_MS = 1_800_000;
const HEALED_WORK_FACTOR = 6;
/** A run has some thousands of events; far more of them go in circles, perhaps without time passing. */
const EVENTS_MAX = 400_000;
/** What a healed cluster takes beyond the deadline until a stopped job is over. */
const STOP_SLACK_MS = 30_000;
/** Uploads and the manifest, in a healthy cluster. */
const COMMITTED_WITHIN_MS = 5_000;
/** Longer than any message takes. */
const SETTLE_MS = 30_000;
const DOWN_MS_MAX = 20_000;
const WALL_SKEW_MS = 120_000;

export interface RunOptions {
  readonly seed: number;
  readonly keepsLines?: boolean;
  readonly sabotage?: Partial<Sabotage>;
  /** Instead of what the seed drew. */
  readonly faults?: Partial<Faults>;
  /** Whether the log is replayed at the end, pass by pass. Default true. */
  readonly decidesAgain?: boolean;
}

export class World {
  readonly trace: Trace;
  readonly timeline = new Timeline();
  readonly checks: Checks;
  private readonly prng: Prng;
  private readonly workload: Workload;
  private readonly sabotage: Sabotage;
  private faults: Faults;
  private readonly network: Network;
  private readonly store = new ObjectStore();
  private readonly log = new DurableLog();
  private readonly gangs = new Map<string, Gang>();
  private readonly machines: readonly Machine[];
  private readonly agents = new Map<Machine, Agent>();
  private readonly lives = new Map<Machine, number>();
  private readonly clients: readonly Client[];
  private readonly operator: Operator;
  private readonly chaos: Chaos;
  private scheduler: Scheduler | null = null;
  private isHealed = false;
  private isTidy = false;
  private readonly decidesAgain: boolean;
  /** Planning passes that came out of the log again. */
  replayedCount = 0;
  private tidyAtMs = Infinity;

  constructor(options: RunOptions) {
    this.trace = new Trace({ keepsLines: options.keepsLines ?? false });
    this.decidesAgain = options.decidesAgain ?? true;
    this.sabotage = { ...NO_SABOTAGE, ...options.sabotage };
    this.prng = createPrng(options.seed);
    this.faults = { ...drawFaults(this.prng.fork()), ...options.faults };
    this.workload = drawWorkload(this.prng.fork());
    this.network = new Network(this.timeline, this.prng.fork(), this.faults);
    this.machines = this.workload.nodes.map((spec) => this.makeMachine(spec));
    this.checks = new Checks(() => this.timeline.nowMs, this.store, this.machines, this.gangs);
    const admin = this.makeClient("admin");
    const user = this.makeClient("user");
    this.clients = [admin, user];
    this.operator = new Operator(admin, this.workload, this.prng.fork());
    this.chaos = this.makeChaos();
    this.startScheduler();
    for (const machine of this.machines) this.startAgent(machine);
    this.operator.setQueues(this.workload.queues);
    for (const job of this.workload.jobs) this.operator.submitLater(user, job, this.timeline);
  }

  run(): void {
    const { safetyMs } = this.workload;
    this.timeline.run(safetyMs, () => this.goesOn());
    this.heal();
    const work = this.workload.jobs.map(
      ({ profile, spec }) =>
        (profile.steps * profile.stepMs + 60_000) *
        (spec.array === null ? 1 : arrayIndexes(spec).length),
    );
    const untilMs =
      this.timeline.nowMs + HEALED_BASE_MS + HEALED_WORK_FACTOR * work.reduce((a, b) => a + b, 0);
    this.timeline.run(untilMs, () => this.goesOn() || this.isDone());
    promise(this.isDone(), () => `not at rest ${untilMs} ms after the start: ${this.unfinished()}`);
    this.compareDisk();
    if (this.decidesAgain) this.decideAgain();
    for (const job of this.state?.jobs.values() ?? []) this.savedWork(job);
  }

  get eventCount(): number {
    return this.timeline.ranCount;
  }

  get loggedCount(): number {
    return this.log.lastSeq;
  }

  private get state(): ClusterState | null {
    return this.scheduler?.state ?? null;
  }

  private heal(): void {
    this.trace.write(this.timeline.nowMs, "chaos", "everything is healed");
    this.isHealed = true;
    this.chaos.stop();
    this.faults = NO_FAULTS;
    this.network.faults = NO_FAULTS;
    this.network.healAll();
    for (const machine of this.machines) {
      if (machine.isSuspended) machine.resume();
      if (!machine.isUp) this.powerOn(machine);
      this.startAgent(machine);
    }
    // Calls that were sent before may still be under way, and must not have the last word.
    this.timeline.after(SETTLE_MS, () => {
      for (const machine of this.machines) this.operator.reopen(machine.spec.id);
      this.operator.setQueues(this.workload.queues);
      this.isTidy = true;
      this.tidyAtMs = this.timeline.nowMs;
    });
  }

  /** Looked at after every event; never true: it only throws. */
  private goesOn(): boolean {
    promise(
      this.timeline.ranCount < EVENTS_MAX,
      () => `${EVENTS_MAX} events, and no end: ${this.unfinished()}`,
    );
    const { scheduler } = this;
    if (this.isTidy && scheduler !== null) this.inTime(scheduler.state, scheduler.nowMs());
    return false;
  }

  /** In a healthy cluster nothing runs far beyond its deadline or its time limit. */
  private inTime(state: ClusterState, nowMs: number): void {
    for (const job of state.active.values()) {
      promise(
        endsByMs(job) + STOP_SLACK_MS > nowMs,
        () => `${job.id} does not stop: ${JSON.stringify(job.phase)}`,
      );
    }
  }

  /** What a job saved in a healthy cluster was safe soon after. */
  private savedWork(job: Job): void {
    const last = job.history.at(-1);
    if (job.phase.kind !== "succeeded" || last === undefined) return;
    if (last.placedAtMs <= EPOCH_MS + this.tidyAtMs + WALL_SKEW_MS) return;
    for (const { step, atMs } of this.gangs.get(`${job.id}/${last.number}`)?.saves ?? []) {
      const tookMs = this.checks.safeAtMs(job.id, last.number, step) - atMs;
      promise(
        tookMs < COMMITTED_WITHIN_MS,
        () => `${job.id} saved step ${step}, which was safe ${tookMs} ms later`,
      );
    }
  }

  /** Every job that can run has ended, and nothing is left over anywhere. */
  private isDone(): boolean {
    const { state } = this;
    if (state === null || state.seq > this.log.lastSeq) return false;
    if (this.clients.some((client) => client.openCount > 0)) return false;
    if (!this.isTidy || !this.operator.isDone || state.reservations.size > 0) return false;
    for (const job of state.jobs.values()) {
      if (this.mustStillEnd(job) || isCommitting(job)) return false;
    }
    return this.machines.every((machine) => machine.records.size === 0);
  }

  private mustStillEnd(job: Job): boolean {
    if (isEnded(job.phase)) return false;
    const limitOf = (path: string): number | null =>
      this.workload.queues.find((queue) => queue.path === path)?.limit ?? null;
    if (job.phase.kind !== "pending") return true;
    if (!couldRun(job.spec, this.workload.nodes, limitOf)) return false;
    return this.awaitedBy(job).every((other) => isEnded(other.phase) || this.mustStillEnd(other));
  }

  /** Jobs that have to end before this one may start. */
  private awaitedBy(job: Job): readonly Job[] {
    const { state } = this;
    if (state === null) return [];
    const array = job.array === null ? undefined : state.arrays.get(job.array.id);
    return (array ?? job).waitsFor.flatMap(({ job: target }) => {
      const awaited = state.arrays.get(target);
      return awaited === undefined ? (state.jobs.get(target) ?? []) : elementsOf(state, awaited);
    });
  }

  private unfinished(): string {
    const { state } = this;
    if (state === null) return "no scheduler";
    const left = [...state.jobs.values()].filter((job) => this.mustStillEnd(job));
    const jobs = left.map((job) => `${job.id} ${JSON.stringify(job.phase)} ${this.holdOf(job.id)}`);
    const records = this.machines.flatMap((machine) =>
      [...machine.records.keys()].map((name) => `${machine.name} still has ${name}`),
    );
    const open = this.clients.map((client) => `${client.openCount} calls open`);
    return [...jobs, ...records, ...open, `${state.reservations.size} reservations`].join("; ");
  }

  private holdOf(jobId: JobId): string {
    const { scheduler } = this;
    return JSON.stringify(scheduler && holdOf(scheduler.state, scheduler.holds, jobId));
  }

  private compareDisk(): void {
    const live = must(this.scheduler, "scheduler");
    const folded = encodeText(this.log.fold());
    promise(encodeText(live.state) === folded, () => "the log does not fold to the live state");
  }

  /** What a pass decided follows from the log alone, through crashes and restarts too. */
  private decideAgain(): void {
    const replay = new Replay(createState());
    for (const logged of this.log.events()) if (!replay.next(logged)) break;
    const { difference, passes } = replay.finish();
    this.replayedCount = passes;
    promise(difference === null, () => `the log replays otherwise: ${JSON.stringify(difference)}`);
  }

  private say(actor: string, text: string): void {
    this.trace.write(this.timeline.nowMs, actor, text);
  }

  private makeMachine(spec: Machine["spec"]): Machine {
    const drift = Math.min(DRIFT_MAX_PPM, this.faults.driftPpm);
    return new Machine(spec, {
      timeline: this.timeline,
      network: this.network,
      prng: this.prng.fork(),
      driftPpm: drift === 0 ? 0 : this.prng.below(2 * drift + 1) - drift,
      sabotage: this.sabotage,
      onProcess: (process) => this.checks.process(process),
    });
  }

  private makeClient(name: string): Client {
    return new Client(name, {
      timeline: this.timeline,
      network: this.network,
      prng: this.prng.fork(),
      handle: (envelope, reply) => this.scheduler?.submit(envelope, reply),
      onReply: (envelope, reply) => {
        if (reply.kind === "accepted") this.checks.replied(envelope, reply);
      },
    });
  }

  private makeChaos(): Chaos {
    return new Chaos(this.faults, {
      timeline: this.timeline,
      network: this.network,
      prng: this.prng.fork(),
      machines: this.machines,
      crashScheduler: () => this.crashScheduler(),
      crashAgent: (machine) => this.stopAgent(machine, false),
      startAgent: (machine) => this.startAgent(machine),
      powerOff: (machine, isWiped) => this.powerOff(machine, isWiped),
      powerOn: (machine) => this.powerOn(machine),
      operate: () => this.operator.act(),
      trace: (actor, text) => this.say(actor, text),
    });
  }

  private powerOff(machine: Machine, isWiped: boolean): void {
    if (!machine.isUp) return;
    this.stopAgent(machine, true);
    machine.powerOff(isWiped);
  }

  private powerOn(machine: Machine): void {
    if (machine.isUp) return;
    machine.powerOn();
    this.startAgent(machine);
  }

  private stopAgent(machine: Machine, isSilent: boolean): void {
    this.agents.get(machine)?.die(isSilent);
    this.agents.delete(machine);
  }

  private startAgent(machine: Machine): void {
    if (!machine.isUp || this.agents.has(machine)) return;
    const life = (this.lives.get(machine) ?? 0) + 1;
    this.lives.set(machine, life);
    this.say(machine.name, `agent ${life} starts`);
    const agent = new Agent(machine, agentInstanceId(`${machine.name}-${life}`), {
      prng: this.prng.fork(),
      store: this.store,
      dial: (side) => this.network.dial(this.traced(side), this.schedulerSide()),
      gangOf: (task) =>
        this.gangOf(task.jobId, task.attempt, task.nodeNames.length, task.spec.name),
      profileOf: (_jobId, name) => this.plannedJob(name).profile,
      onRestore: (task) => this.checks.restores(task),
      onMissingCheckpoint: (task) => this.checks.missing(task),
      onCrash: () => this.chaos.crashAgent(machine),
      nowMs: () => this.timeline.nowMs,
      isHealed: () => this.isHealed,
      trace: (actor, text) => this.say(actor, text),
    });
    this.agents.set(machine, agent);
    agent.start();
  }

  private traced(side: StreamSide): StreamSide {
    return {
      host: side.host,
      onMessage: (stream, message) => {
        this.say(side.host, `< ${describe(message)}`);
        side.onMessage(stream, message);
      },
      onClosed: (stream) => {
        this.say(side.host, "< closed");
        side.onClosed(stream);
      },
    };
  }

  /** The process that listens when a message arrives; a stream belongs to the one that saw its hello. */
  private schedulerSide(): StreamSide {
    let owner: Scheduler | null = null;
    const onMessage = (stream: Stream, message: Message): void => {
      owner ??= this.scheduler;
      if (owner === null || owner.isDead) return stream.closeByCallee();
      if (message.kind === "hello" || message.kind === "heartbeat" || message.kind === "report") {
        owner.onMessage(stream, message);
      }
    };
    const onClosed = (stream: Stream): void => {
      if (owner?.isDead === false) owner.sessions.onClosed(stream);
      else stream.closeByCallee();
    };
    return this.traced({ host: "scheduler", onMessage, onClosed });
  }

  private gangOf(jobId: JobId, attempt: number, size: number, name: string): Gang {
    const key = `${jobId}/${attempt}`;
    const known = this.gangs.get(key);
    if (known !== undefined) return known;
    const { profile } = this.plannedJob(name);
    const gang = new Gang({ jobId, attempt, size, profile }, this.timeline, this.prng.fork());
    this.gangs.set(key, gang);
    return gang;
  }

  private plannedJob(name: string): Workload["jobs"][number] {
    return must(
      this.workload.jobs.find(({ spec }) => spec.name === name),
      `the plan of ${name}`,
    );
  }

  private crashScheduler(): void {
    const { scheduler } = this;
    if (scheduler === null) return;
    this.say("scheduler", "crashes");
    scheduler.die();
    this.scheduler = null;
    this.timeline.after(this.prng.below(DOWN_MS_MAX), () => this.startScheduler());
  }

  private startScheduler(): void {
    const state = this.log.fold();
    const fromSnapshot = this.log.foldFromSnapshot();
    promise(
      fromSnapshot === null || encodeText(fromSnapshot) === encodeText(state),
      () => "the snapshot and the log give different states",
    );
    this.checks.restarted(state);
    this.say("scheduler", `starts at ${state.seq}`);
    const skewMs = this.isHealed ? 0 : this.prng.below(WALL_SKEW_MS) - WALL_SKEW_MS / 2;
    this.scheduler = new Scheduler(fromSnapshot ?? state, skewMs, {
      timeline: this.timeline,
      prng: this.prng.fork(),
      log: this.log,
      store: this.store,
      policy: this.workload.policy,
      faults: () => this.faults,
      sabotage: this.sabotage,
      onApplied: (now, events) => this.checks.applied(now, events),
      onDurable: (events) => this.checks.durable(events),
      onCrash: () => this.crashScheduler(),
      trace: (actor, text) => this.say(actor, text),
    });
  }
}

/** Every part is stored, and the manifest is still to be written. */
function isCommitting(job: Job): boolean {
  return job.checkpoints.some(
    (one) => one.state === "gathering" && one.attempt === job.attemptLast && isWhole(job, one),
  );
}

/** When the job must be over by an order or by its limit; infinite = it may go on. */
function endsByMs({ phase, spec }: Job): number {
  if (phase.kind === "stopping") return phase.deadlineMs;
  if (phase.kind !== "running" || spec.timeLimitMs === null) return Infinity;
  return (phase.attempt.runningAtMs ?? Infinity) + spec.timeLimitMs;
}
