// A cluster on a virtual clock for scenario files: the real cycle, and agents that start at once what
// they are told to start. Stopping, failing and saving happen only when the scenario says so.

import { must } from "../../src/base/assert.ts";
import type { Refusal } from "../../src/base/errors.ts";
import {
  agentInstanceId,
  digest,
  type JobId,
  type NodeId,
  nodeId,
  requestId,
} from "../../src/base/ids.ts";
import { holdOf } from "../../src/scheduler/core/admission.ts";
import { createState } from "../../src/scheduler/core/apply.ts";
import type {
  Accepted,
  Command,
  Envelope,
  ObservedTask,
  StoredPart,
} from "../../src/scheduler/core/commands.ts";
import { planStep, step } from "../../src/scheduler/core/cycle.ts";
import { isWhole } from "../../src/scheduler/core/decide-checkpoint.ts";
import { type DesiredTask, desiredFor } from "../../src/scheduler/core/desired.ts";
import type { LoggedEvent } from "../../src/scheduler/core/events.ts";
import type { Hold } from "../../src/scheduler/core/hold.ts";
import { invariants } from "../../src/scheduler/core/invariants.ts";
import type { Job, TaskExit } from "../../src/scheduler/core/job.ts";
import { lostAtMs } from "../../src/scheduler/core/lease.ts";
import type { NodeCondition, NodeSpec } from "../../src/scheduler/core/state.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";

export const START_MS = 1_000_000_000;
const LEASE = { leaseMs: 15_000, marginMs: 5_000 };
/** Rounds of "agents act, scheduler plans" after which a scenario goes in circles. */
const ROUNDS_MAX = 50;

interface Agent {
  readonly spec: NodeSpec;
  life: number;
  /** Null = answers; else when it was last heard. */
  silentSinceMs: number | null;
  conditions: readonly NodeCondition[];
  readonly ended: Map<string, TaskExit>;
  readonly parts: Map<string, readonly StoredPart[]>;
}

export class Stage {
  readonly state = createState();
  nowMs = START_MS;
  plan: Plan | null = null;
  private readonly agents = new Map<NodeId, Agent>();
  private readonly fresh: LoggedEvent[] = [];

  /** Sends one command as a user and lets the cluster come to rest. */
  send(command: Command, request: string | null = null): Accepted | Refusal {
    const id = request === null ? null : requestId(request);
    const envelope: Envelope = {
      command,
      actor: { tenant: "acme", user: "ann" },
      request: id === null ? null : { id, fingerprint: JSON.stringify(command) },
    };
    const reply = this.step(envelope);
    this.settle();
    return reply;
  }

  join(spec: NodeSpec): void {
    const agent = { spec, life: 1, silentSinceMs: null, conditions: [] };
    this.agents.set(spec.id, { ...agent, ended: new Map(), parts: new Map() });
    this.register(this.agent(spec.id));
    this.settle();
  }

  /** From now on the node's agent reports these. */
  setConditions(name: string, conditions: readonly NodeCondition[]): void {
    this.agent(name).conditions = conditions;
    this.settle();
  }

  /** The node is not heard any more; its agent ends everything within its lease. */
  silence(name: string): void {
    this.agent(name).silentSinceMs = this.nowMs;
  }

  /** The same machine speaks again, by a new agent that found nothing running. */
  comeBack(name: string): void {
    const agent = this.agent(name);
    agent.silentSinceMs = null;
    agent.life += 1;
    this.register(agent);
    this.settle();
  }

  /** Ranks of the job end so; without `ranks`, all of them. */
  end(job: JobId, exit: TaskExit, ranks: readonly number[] | null): void {
    for (const [agent, task] of this.tasksOf(job)) {
      if (ranks === null || ranks.includes(task.rank)) agent.ended.set(keyOf(task), exit);
    }
    this.settle();
  }

  /** Every rank stores its part, and the manifest is committed. */
  checkpoint(jobId: JobId, at: number): void {
    for (const [agent, task] of this.tasksOf(jobId)) {
      const hash = digest(`${keyOf(task)}@${at}`);
      const sizes = { sizeBytes: 1, uploadedBytes: 1 };
      const part = { step: at, takenAtMs: this.nowMs, digest: hash, ...sizes };
      agent.parts.set(keyOf(task), [...(agent.parts.get(keyOf(task)) ?? []), part]);
    }
    this.settle();
    const job = this.job(jobId);
    const whole = job.checkpoints.find((one) => one.state === "gathering" && isWhole(job, one));
    const { id } = must(whole, `a whole checkpoint of ${jobId}`);
    const manifestDigest = digest(`manifest of ${id}`);
    this.send({ kind: "checkpoint.commit", jobId, checkpointId: id, manifestDigest });
  }

  /** Time passes: leases run out and plans are looked at again at their moments. */
  wait(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const nextMs = Math.min(this.plan?.wakeAtMs ?? Infinity, ...this.expiries().keys());
      if (nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs + 1, nextMs);
      this.look();
    }
    this.nowMs = untilMs;
    this.look();
  }

  holdOf(id: JobId): Hold {
    return holdOf(this.state, this.plan?.holds ?? null, id);
  }

  job(id: JobId): Job {
    return must(this.state.jobs.get(id), id);
  }

  /** Events since the last call, oldest first. */
  news(): readonly LoggedEvent[] {
    return this.fresh.splice(0);
  }

  private look(): void {
    for (const [atMs, name] of this.expiries()) {
      if (atMs > this.nowMs) continue;
      const { instance } = must(this.state.nodes.get(name), name);
      this.step(system({ kind: "node.expire", nodeId: name, instance }));
    }
    this.step(system({ kind: "clock.tick" }));
    this.settle();
  }

  private expiries(): ReadonlyMap<number, NodeId> {
    const due = new Map<number, NodeId>();
    for (const [name, agent] of this.agents) {
      const isUp = this.state.nodes.get(name)?.health === "up";
      if (agent.silentSinceMs !== null && isUp) due.set(lostAtMs(agent.silentSinceMs, LEASE), name);
    }
    return due;
  }

  /** Plans and lets the agents act until nothing more happens. */
  private settle(): void {
    for (let round = 0; ; round += 1) {
      if (round > ROUNDS_MAX) throw new Error("the cluster never comes to rest");
      const { events, plan } = planStep(this.state, this.nowMs);
      this.plan = plan;
      this.record(events);
      const before = this.state.seq;
      for (const agent of this.agents.values()) this.report(agent);
      if (events.length === 0 && this.state.seq === before) return;
    }
  }

  private register(agent: Agent): void {
    const { spec, life, conditions } = agent;
    const instance = agentInstanceId(`${spec.id}-${life}`);
    const report = { nodeId: spec.id, instance, generation: 0, tasks: [], conditions };
    this.step(system({ kind: "node.register", spec, instance, report }));
  }

  private report(agent: Agent): void {
    const node = this.state.nodes.get(agent.spec.id);
    if (agent.silentSinceMs !== null || node === undefined || node.health === "lost") return;
    const tasks = desiredFor(this.state, agent.spec.id).map((task) => observed(agent, task));
    const { instance } = node;
    const { spec, conditions } = agent;
    const generation = this.state.seq;
    const report = { nodeId: spec.id, instance, generation, tasks, conditions };
    this.step(system({ kind: "node.report", report }));
  }

  private step(envelope: Envelope): Accepted | Refusal {
    const { events, reply } = step(this.state, envelope, this.nowMs);
    this.record(events);
    return reply;
  }

  private record(events: readonly LoggedEvent[]): void {
    const faults = invariants(this.state);
    if (faults.length > 0) throw new Error(`invariants: ${faults.join("; ")}`);
    this.fresh.push(...events);
  }

  private agent(name: string): Agent {
    return must(this.agents.get(nodeId(name)), `node ${name}`);
  }

  private *tasksOf(job: JobId): Generator<readonly [Agent, DesiredTask]> {
    for (const agent of this.agents.values()) {
      for (const task of desiredFor(this.state, agent.spec.id)) {
        if (task.jobId === job) yield [agent, task];
      }
    }
  }
}

function observed(agent: Agent, task: DesiredTask): ObservedTask {
  const { jobId, attempt, rank } = task;
  const exit = agent.ended.get(keyOf(task));
  const state = exit === undefined ? ({ kind: "running" } as const) : ended(exit);
  const rendezvous = rank === 0 ? { host: "127.0.0.1", port: 29_500 } : null;
  return { jobId, attempt, rank, state, rendezvous, parts: agent.parts.get(keyOf(task)) ?? [] };
}

const ended = (exit: TaskExit): ObservedTask["state"] => ({ kind: "ended", exit });
const keyOf = (task: DesiredTask): string => `${task.jobId}/${task.attempt}/${task.rank}`;

function system(command: Command): Envelope {
  return { command, actor: "scheduler", request: null };
}
