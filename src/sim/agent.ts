// One life of a simulated agent: the real agent core, driven as the daemon drives it. Owns what dies
// with the agent process; what outlives it lies in machine.ts.

import { assert } from "../base/assert.ts";
import type { AgentInstanceId } from "../base/ids.ts";
import type { AgentAction } from "../agent/core/actions.ts";
import {
  generationOf,
  type Link,
  linkDesired,
  linkHeartbeatAcked,
  linkHeartbeatSent,
  linkWelcomed,
  resumedLink,
} from "../agent/core/link.ts";
import { applyLocal, EMPTY_LOCAL, type LocalEvent, type LocalState } from "../agent/core/local.ts";
import { nextWakeMs, reconcile } from "../agent/core/reconcile.ts";
import { observe } from "../agent/core/report.ts";
import { type TaskKey, taskName } from "../agent/core/task-key.ts";
import type { NodeReport } from "../scheduler/core/commands.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { TaskExit } from "../scheduler/core/job.ts";
import { adoptAll } from "./agent-adopt.ts";
import { TaskWork } from "./agent-work.ts";
import type { Machine } from "./machine.ts";
import type { SchedulerMessage } from "./messages.ts";
import type { Message, Stream, StreamSide } from "./stream.ts";
import type { AgentPorts } from "./agent-ports.ts";

export const HEARTBEAT_MS = 4_000;
const SILENCE_MS = 12_000;
const REDIAL_MS = 500;
const REDIAL_JITTER_MS = 2_500;
/** Rounds of reconciling after which something goes in circles. */
const ROUNDS_MAX = 100;

export class Agent implements StreamSide {
  readonly machine: Machine;
  readonly instance: AgentInstanceId;
  readonly host: string;
  isDead = false;
  local: LocalState = EMPTY_LOCAL;
  private readonly ports: AgentPorts;
  private readonly work: TaskWork;
  private link: Link;
  private stream: Stream | null = null;
  private isWelcomed = false;
  private helloSentAtMs = 0;
  private heardAtMs = 0;
  private heartbeatLast = 0;
  private reportedLast = "";
  private wakeAtMs: number | null = null;

  constructor(machine: Machine, instance: AgentInstanceId, ports: AgentPorts) {
    this.machine = machine;
    this.instance = instance;
    this.host = machine.name;
    this.ports = ports;
    this.work = new TaskWork(machine, ports, this);
    this.link = resumedLink(machine.readLease());
    machine.instanceLast = instance;
    machine.ears = {
      processEnded: (key, exit) => this.after(ports.prng.below(50), () => this.ended(key, exit)),
      diskChanged: () => this.after(ports.prng.below(500), () => this.settle()),
      checkpointWritten: (key) => this.after(ports.prng.below(500), () => this.work.upload(key)),
    };
  }

  start(): void {
    for (const event of adoptAll(this.machine)) this.happen(event);
    for (const task of this.local.tasks) this.work.upload(task);
    this.settle();
    this.beat();
    this.dial();
  }

  /** kill -9, or with its machine. */
  die(isSilent: boolean): void {
    this.isDead = true;
    this.machine.ears = null;
    if (isSilent) this.stream?.vanishCaller();
    else this.stream?.closeByCaller();
  }

  /** A timer of this process. */
  after(delayMs: number, run: () => void): void {
    this.machine.after(delayMs, () => {
      if (!this.isDead) run();
    });
  }

  /** Folds news in, acts on it and tells of it. */
  news(event: LocalEvent): void {
    this.happen(event);
    this.settle();
  }

  onMessage(stream: Stream, message: Message): void {
    if (this.isDead || stream !== this.stream) return;
    this.heardAtMs = this.machine.clock.bootMs();
    switch (message.kind) {
      case "welcome":
        this.link = linkWelcomed(this.link, this.helloSentAtMs, message.leaseMs);
        this.isWelcomed = true;
        break;
      case "heartbeat_ack":
        this.link = linkHeartbeatAcked(this.link, message.seq);
        break;
      case "desired":
        this.takeOrders(message);
        break;
      default:
        assert(false, `an agent was sent ${message.kind}`);
    }
    this.machine.writeLease(this.link.lease.untilMs);
    this.settle();
  }

  onClosed(stream: Stream): void {
    if (this.isDead || stream !== this.stream) return;
    this.redial();
  }

  private takeOrders(message: Extract<SchedulerMessage, { readonly kind: "desired" }>): void {
    const nowMs = this.machine.clock.bootMs();
    const tasks = message.tasks.map((task) => withBootDeadline(task, nowMs));
    this.link = linkDesired(this.link, { generation: message.generation, tasks });
    this.happen({ kind: "desired", tasks });
    for (const task of tasks) for (const event of this.work.emptyParts(task)) this.happen(event);
  }

  private ended(key: TaskKey, exit: TaskExit): void {
    this.work.upload(key);
    this.news({ kind: "exited", key, exit, nowMs: this.machine.clock.bootMs() });
  }

  private happen(event: LocalEvent): void {
    this.local = applyLocal(this.local, event);
    if (event.kind !== "desired") this.ports.trace(this.host, describeNews(event));
    for (const task of this.local.tasks) {
      const record = this.machine.records.get(taskName(task));
      if (record !== undefined) record.local = task;
    }
  }

  private settle(): void {
    const lease = this.machine.sabotage.agentHoldsLease ? this.link.lease : { untilMs: Infinity };
    for (let round = 0; ; round += 1) {
      assert(round < ROUNDS_MAX, `the agent of ${this.host} never comes to rest`);
      const nowMs = this.machine.clock.bootMs();
      const actions = reconcile(this.local, this.link.desired, lease, nowMs);
      if (actions.length === 0) break;
      for (const action of actions) this.act(action);
      if (this.isDead) return;
    }
    this.wakeLater(nextWakeMs(this.local, lease));
    this.report();
  }

  private act(action: AgentAction): void {
    if (this.isDead) return;
    if (action.kind === "prepare") this.work.open(action.task);
    this.happen({ kind: "began", action });
    if (this.crashesHere()) return;
    this.work.carryOut(action);
    this.crashesHere();
  }

  private crashesHere(): boolean {
    const { network } = this.machine;
    if (!network.chance(network.faults.crashAtAction)) return false;
    this.ports.onCrash();
    return true;
  }

  private wakeLater(atBootMs: number | null): void {
    if (atBootMs === null || atBootMs === Infinity || atBootMs === this.wakeAtMs) return;
    this.wakeAtMs = atBootMs;
    this.after(Math.max(1, atBootMs - this.machine.clock.bootMs() + 1), () => {
      if (this.wakeAtMs !== atBootMs) return;
      this.wakeAtMs = null;
      this.settle();
    });
  }

  private currentReport(): NodeReport {
    return {
      nodeId: this.machine.spec.id,
      instance: this.instance,
      generation: generationOf(this.link),
      tasks: observe(this.local, this.link.desired),
      conditions: this.machine.isDiskFull ? [{ kind: "disk_full", message: "no room" }] : [],
    };
  }

  private report(): void {
    if (!this.isWelcomed) return;
    const report = this.currentReport();
    const text = JSON.stringify(report);
    if (text === this.reportedLast) return;
    this.reportedLast = text;
    this.stream?.sendUp({ kind: "report", report });
  }

  private beat(): void {
    this.after(HEARTBEAT_MS, () => this.beat());
    const nowMs = this.machine.clock.bootMs();
    if (this.stream !== null && nowMs - this.heardAtMs > SILENCE_MS) return this.redial();
    if (!this.isWelcomed) return;
    this.heartbeatLast += 1;
    this.link = linkHeartbeatSent(this.link, this.heartbeatLast, nowMs);
    this.stream?.sendUp({ kind: "heartbeat", seq: this.heartbeatLast });
  }

  private redial(): void {
    this.stream?.closeByCaller();
    this.stream = null;
    this.isWelcomed = false;
    this.after(REDIAL_MS + this.ports.prng.below(REDIAL_JITTER_MS), () => this.dial());
  }

  private dial(): void {
    if (this.stream !== null) return;
    this.helloSentAtMs = this.machine.clock.bootMs();
    this.heardAtMs = this.helloSentAtMs;
    this.reportedLast = "";
    this.stream = this.ports.dial(this);
    const { spec } = this.machine;
    const { instance } = this;
    this.stream.sendUp({ kind: "hello", spec, instance, report: this.currentReport() });
  }
}

function describeNews(event: LocalEvent): string {
  if (event.kind !== "began") return JSON.stringify(event);
  const { action } = event;
  return `${action.kind} ${taskName("task" in action ? action.task : action.key)}`;
}

function withBootDeadline(task: DesiredTask, nowMs: number): DesiredTask {
  if (task.stop === null) return task;
  return { ...task, stop: { ...task.stop, deadlineMs: nowMs + task.stop.deadlineMs } };
}
