// The scheduler's side of the agents' streams: who is connected, who was heard when, who is given up.
// Dies with the scheduler process. Asks the loop for everything that changes the state.

import type { AgentInstanceId, NodeId } from "../base/ids.ts";
import type { Command } from "../scheduler/core/commands.ts";
import { type DesiredTask, desiredFor } from "../scheduler/core/desired.ts";
import { lostAtMs } from "../scheduler/core/lease.ts";
import type { ClusterState } from "../scheduler/core/state.ts";
import type { AgentMessage, SchedulerMessage } from "./messages.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Stream } from "./stream.ts";

export const LEASE_MS = 15_000;

/** What sessions need of the loop. */
export interface LoopPort {
  readonly state: ClusterState;
  nowMs(): number;
  monotonicMs(): number;
  after(delayMs: number, run: () => void): void;
  /** `done` says whether it was accepted, once that is durable. */
  enqueue(command: Command, agent: NodeId | null, done: (isAccepted: boolean) => void): void;
}

interface Session {
  readonly nodeId: NodeId;
  readonly instance: AgentInstanceId;
  readonly stream: Stream;
  isWelcomed: boolean;
  /** What was published before the welcome, which it waits for. */
  desired: SchedulerMessage | null;
}

export class Sessions {
  private readonly loop: LoopPort;
  private readonly sabotage: Sabotage;
  private readonly byNode = new Map<NodeId, Session>();
  private readonly byStream = new Map<Stream, Session>();
  private readonly heardAtMs = new Map<NodeId, number>();
  private readonly watched = new Set<NodeId>();

  constructor(loop: LoopPort, sabotage: Sabotage) {
    this.loop = loop;
    this.sabotage = sabotage;
    // Before the restart every node may have been granted a lease up to now.
    for (const [nodeId, node] of loop.state.nodes) {
      if (node.health === "up") this.heard(nodeId, sabotage.restartGrantsLease ? 0 : 2 * LEASE_MS);
    }
  }

  onMessage(stream: Stream, message: AgentMessage): void {
    if (message.kind === "hello") return this.hello(stream, message);
    const session = this.byStream.get(stream);
    if (session === undefined || !session.isWelcomed) return;
    this.heard(session.nodeId, 0);
    if (message.kind === "heartbeat") stream.sendDown({ kind: "heartbeat_ack", seq: message.seq });
    else {
      const { report } = message;
      this.loop.enqueue({ kind: "node.report", report }, session.nodeId, (isAccepted) => {
        if (!isAccepted) this.close(session);
      });
    }
  }

  onClosed(stream: Stream): void {
    const session = this.byStream.get(stream);
    if (session !== undefined) this.forget(session);
    stream.closeByCallee();
  }

  /** Sends these nodes their desired state as it is now: it must be durable. */
  publish(nodes: Iterable<NodeId>): void {
    for (const nodeId of nodes) {
      const session = this.byNode.get(nodeId);
      if (session === undefined) continue;
      if (!session.isWelcomed) session.desired = this.desiredOf(nodeId);
      else if (this.sabotage.publishes) session.stream.sendDown(this.desiredOf(nodeId));
    }
  }

  closeAll(): void {
    for (const stream of this.byStream.keys()) stream.closeByCallee();
  }

  private hello(stream: Stream, message: Extract<AgentMessage, { readonly kind: "hello" }>): void {
    const { spec, instance, report } = message;
    const before = this.byNode.get(spec.id);
    if (before !== undefined) {
      // Another life of the agent, and the known one still speaks: one of them is a mistake.
      if (before.instance !== instance && !this.isSilent(spec.id)) return stream.closeByCallee();
      this.close(before);
    }
    const session: Session = {
      nodeId: spec.id,
      instance,
      stream,
      isWelcomed: false,
      desired: null,
    };
    this.byNode.set(spec.id, session);
    this.byStream.set(stream, session);
    this.heard(spec.id, 0);
    this.loop.enqueue({ kind: "node.register", spec, instance, report }, spec.id, (isAccepted) => {
      if (this.byNode.get(spec.id) !== session) return;
      if (!isAccepted) return this.close(session);
      session.isWelcomed = true;
      this.heard(spec.id, 0);
      stream.sendDown({ kind: "welcome", leaseMs: LEASE_MS });
      if (session.desired !== null) stream.sendDown(session.desired);
    });
  }

  private desiredOf(nodeId: NodeId): SchedulerMessage {
    const nowMs = this.loop.nowMs();
    const tasks = desiredFor(this.loop.state, nodeId).map((task) => withLeft(task, nowMs));
    return { kind: "desired", generation: this.loop.state.seq, tasks };
  }

  private heard(nodeId: NodeId, agoMs: number): void {
    this.heardAtMs.set(nodeId, this.loop.monotonicMs() - agoMs);
    if (this.watched.has(nodeId)) return;
    this.watched.add(nodeId);
    this.watch(nodeId);
  }

  private lostAt(nodeId: NodeId): number {
    const terms = { leaseMs: LEASE_MS, marginMs: this.sabotage.leaseMarginMs };
    return lostAtMs(this.heardAtMs.get(nodeId) ?? 0, terms);
  }

  private isSilent(nodeId: NodeId): boolean {
    return this.loop.monotonicMs() - (this.heardAtMs.get(nodeId) ?? 0) > LEASE_MS / 2;
  }

  private watch(nodeId: NodeId): void {
    const leftMs = this.lostAt(nodeId) - this.loop.monotonicMs();
    if (leftMs > 0) {
      this.loop.after(leftMs, () => this.watch(nodeId));
      return;
    }
    this.watched.delete(nodeId);
    // No heartbeat may be acknowledged once this is decided, or the agent would go on.
    const session = this.byNode.get(nodeId);
    if (session !== undefined) this.close(session);
    const instance = this.loop.state.nodes.get(nodeId)?.instance;
    if (instance === undefined) return;
    this.loop.enqueue({ kind: "node.expire", nodeId, instance }, null, () => {});
  }

  private close(session: Session): void {
    this.forget(session);
    session.stream.closeByCallee();
  }

  private forget(session: Session): void {
    this.byStream.delete(session.stream);
    if (this.byNode.get(session.nodeId) === session) this.byNode.delete(session.nodeId);
  }
}

function withLeft(task: DesiredTask, nowMs: number): DesiredTask {
  if (task.stop === null) return task;
  return { ...task, stop: { ...task.stop, deadlineMs: task.stop.deadlineMs - nowMs } };
}
