// One life of a simulated scheduler: the real cycle behind a queue, a disk and sessions, in the order
// decide, apply, commit, publish, reply. Owns what dies with the process; the disk outlives it.

import { assert } from "../base/assert.ts";
import type { Refusal } from "../base/errors.ts";
import type { JobId, NodeId } from "../base/ids.ts";
import type { Accepted, Command, Envelope } from "../scheduler/core/commands.ts";
import { planStep, step } from "../scheduler/core/cycle.ts";
import { nodesTouched } from "../scheduler/core/desired.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import type { Holds } from "../scheduler/core/hold.ts";
import { changesPlan } from "../scheduler/core/plan-changes.ts";
import type { MutableClusterState } from "../scheduler/core/state.ts";
import { Committer } from "./committer.ts";
import type { AgentMessage } from "./messages.ts";
import type { SchedulerPorts } from "./scheduler-ports.ts";
import { type LoopPort, Sessions } from "./sessions.ts";
import type { Stream } from "./stream.ts";

/** Wall clock at the start of the simulation. */
export const EPOCH_MS = 1_700_000_000_000;
const BATCH_MAX = 16;
const COMMIT_MS_MAX = 8;
const SLOW_COMMIT_MS_MAX = 3_000;
const SNAPSHOT_CHANCE = 50;

interface Waiting {
  readonly envelope: Envelope;
  readonly reply: (reply: Accepted | Refusal) => void;
}

const TICK: Envelope = { command: { kind: "clock.tick" }, actor: "scheduler", request: null };

export class Scheduler implements LoopPort {
  readonly state: MutableClusterState;
  isDead = false;
  holds: Holds | null = null;
  readonly sessions: Sessions;
  private readonly ports: SchedulerPorts;
  private readonly committer: Committer;
  private readonly startedAtMs: number;
  private readonly baseMs: number;
  private readonly queue: Waiting[] = [];
  private isBusy = false;
  private isPlanDue = true;
  private wakes = 0;

  /** `wallSkewMs`: how wrong the wall clock is at this start. */
  constructor(state: MutableClusterState, wallSkewMs: number, ports: SchedulerPorts) {
    this.state = state;
    this.ports = ports;
    this.startedAtMs = ports.timeline.nowMs;
    this.baseMs = Math.max(state.atMs, EPOCH_MS + ports.timeline.nowMs + wallSkewMs);
    this.sessions = new Sessions(this, ports.sabotage);
    this.committer = new Committer(this, ports);
    const command = { kind: "policy.apply", policy: ports.policy } as const;
    const takePolicy: Envelope = { command, actor: "scheduler", request: null };
    for (const envelope of [takePolicy, TICK]) this.queue.push({ envelope, reply: () => {} });
    this.kick();
    this.committer.look();
  }

  nowMs(): number {
    return this.baseMs + this.monotonicMs();
  }

  monotonicMs(): number {
    return this.ports.timeline.nowMs - this.startedAtMs;
  }

  after(delayMs: number, run: () => void): void {
    this.ports.timeline.after(delayMs, () => {
      if (!this.isDead) run();
    });
  }

  enqueue(command: Command, agent: NodeId | null, done: (isAccepted: boolean) => void): void {
    const actor = agent === null ? "scheduler" : { agent };
    const reply = ({ kind }: Accepted | Refusal): void => done(kind === "accepted");
    this.submit({ command, actor, request: null }, reply);
    const isReport = command.kind === "node.report";
    if (!isReport || !this.ports.prng.chance(this.ports.faults().reportTwice, 1_000)) return;
    this.after(this.ports.prng.below(10_000), () =>
      this.submit({ command, actor, request: null }, () => {}),
    );
  }

  submit(envelope: Envelope, reply: (reply: Accepted | Refusal) => void): void {
    this.queue.push({ envelope, reply });
    this.kick();
  }

  onMessage(stream: Stream, message: AgentMessage): void {
    this.sessions.onMessage(stream, message);
  }

  die(): void {
    this.isDead = true;
    this.sessions.closeAll();
  }

  private kick(): void {
    if (this.isBusy || !this.isDue()) return;
    this.isBusy = true;
    this.after(0, () => this.turn());
  }

  private isDue(): boolean {
    return this.queue.length > 0 || this.isPlanDue;
  }

  private turn(): void {
    const batch = this.queue.splice(0, BATCH_MAX);
    if (batch.length === 0) return this.planTurn();
    const events: LoggedEvent[] = [];
    const replies: (() => void)[] = [];
    for (const { envelope, reply } of batch) {
      const result = step(this.state, this.censored(envelope), this.nowMs());
      this.ports.trace("scheduler", `${envelope.command.kind} -> ${JSON.stringify(result.reply)}`);
      this.applied(result.events);
      events.push(...result.events);
      if (this.ports.sabotage.repliesAfterCommit) replies.push(() => reply(result.reply));
      else reply(result.reply);
    }
    if (events.some((logged) => changesPlan(logged.event))) this.isPlanDue = true;
    if (batch.some(({ envelope }) => envelope === TICK)) this.isPlanDue = true;
    this.commit(events, replies);
  }

  private planTurn(): void {
    this.isPlanDue = false;
    const { events, plan } = planStep(this.state, this.nowMs());
    this.holds = plan.holds;
    this.applied(events);
    this.wakes += 1;
    const wake = this.wakes;
    if (plan.wakeAtMs !== null && this.ports.sabotage.wakes) {
      this.after(Math.max(1, plan.wakeAtMs - this.nowMs()), () => {
        if (wake === this.wakes) this.submit(TICK, () => {});
      });
    }
    this.commit(events, []);
  }

  private censored(envelope: Envelope): Envelope {
    return this.ports.sabotage.passesRequestIds ? envelope : { ...envelope, request: null };
  }

  private applied(events: readonly LoggedEvent[]): void {
    this.ports.onApplied(this.state, events);
    if (events.length === 0 || this.ports.sabotage.waitsForStopped) return;
    for (const { event } of events) if (event.kind === "job.stopping") this.freeEarly(event.jobId);
  }

  /** Sabotage: takes the order to stop for the end. */
  private freeEarly(jobId: JobId): void {
    const job = this.state.jobs.get(jobId);
    if (job === undefined || !("attempt" in job.phase)) return;
    const { number, placement } = job.phase.attempt;
    const exit = { reason: "stopped", code: 0, message: "" } as const;
    const state = { kind: "ended", exit } as const;
    for (const [rank, { nodeId }] of placement.entries()) {
      const instance = this.state.nodes.get(nodeId)?.instance;
      if (instance === undefined) continue;
      const task = { jobId, attempt: number, rank, state, rendezvous: null, parts: [] };
      const report = { nodeId, instance, generation: 0, tasks: [task], conditions: [] };
      this.enqueue({ kind: "node.report", report }, nodeId, () => {});
    }
  }

  private commit(events: readonly LoggedEvent[], replies: readonly (() => void)[]): void {
    const { prng, sabotage, log } = this.ports;
    if (!sabotage.publishesAfterCommit) this.publish(events);
    const rows = events.map((logged) => JSON.stringify(logged));
    for (const row of rows) this.ports.trace("log", row);
    this.after(events.length === 0 ? 0 : this.commitMs(), () => {
      if (this.crashesHere()) return;
      log.append(rows);
      this.ports.onDurable(events);
      if (prng.chance(1, SNAPSHOT_CHANCE)) log.writeSnapshot(this.state);
      if (this.crashesHere()) return;
      if (sabotage.publishesAfterCommit) this.publish(events);
      this.committer.look();
      if (this.crashesHere()) return;
      this.isBusy = this.isDue();
      // The state is then ahead of the disk again: answers must not look at it.
      if (this.isBusy) this.turn();
      for (const reply of replies) reply();
      this.kick();
    });
  }

  private publish(events: readonly LoggedEvent[]): void {
    const plain = events.map((logged) => logged.event);
    this.sessions.publish(nodesTouched(plain, this.state));
  }

  private commitMs(): number {
    const { prng } = this.ports;
    const isSlow = prng.chance(this.ports.faults().slowCommit, 1_000);
    return 1 + prng.below(isSlow ? SLOW_COMMIT_MS_MAX : COMMIT_MS_MAX);
  }

  private crashesHere(): boolean {
    if (this.isDead) return true;
    if (!this.ports.prng.chance(this.ports.faults().crashAtCommit, 1_000)) return false;
    this.ports.onCrash();
    assert(this.isDead, "a crash ends the process");
    return true;
  }
}
