// The agents that are connected: one session for each node, from its hello to the end of its
// stream. Owns who holds a node name, what each agent is told, and fencing: an agent whose node is
// given up gets no acknowledgement any more. Decides nothing about jobs.

import { unreachable } from "../base/assert.ts";
import type { ClockOffset } from "../base/clock-offset.ts";
import { type Refusal, refuse } from "../base/errors.ts";
import type { NodeId } from "../base/ids.ts";
import type { Clock } from "../base/time.ts";
import type { Logger } from "../obs/log.ts";
import { reject } from "../rpc/decode.ts";
import type { AgentMessage__Output } from "../rpc/gen/trainyard/v1/AgentMessage.ts";
import type { OpenChannel } from "../rpc/gen/trainyard/v1/OpenChannel.ts";
import type { SchedulerMessage } from "../rpc/gen/trainyard/v1/SchedulerMessage.ts";
import type { Sink } from "../rpc/streams.ts";
import { desiredFor, nodesTouched } from "./core/desired.ts";
import type { LoggedEvent } from "./core/events.ts";
import type { LeaseTerms } from "./core/lease.ts";
import type { Node } from "./core/state.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain, Connections } from "./service-ports.ts";
import { type DecodedHello, decodeHello } from "./sessions-decode.ts";
import { LeaseWatch } from "./sessions-lease.ts";
import { Session } from "./sessions-session.ts";

export interface SessionTerms extends LeaseTerms {
  /** Default 3 s. */
  readonly heartbeatMs: number;
}

export const DEFAULT_TERMS: SessionTerms = {
  leaseMs: 15_000,
  marginMs: 5_000,
  heartbeatMs: 3_000,
};

export interface SessionsParts {
  readonly brain: Brain;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: TimerPort;
  readonly logger: Logger;
  readonly terms: SessionTerms;
  /** What agents are told of this cluster. */
  readonly cluster: {
    /** URL of the object store. */
    readonly objectStore: string;
    /** `host:port`; empty = the scheduler's own. */
    readonly trackerAddress: string;
    readonly version: string;
  };
}

export class AgentSessions implements Connections {
  readonly #parts: SessionsParts;
  readonly #sessions = new Map<NodeId, Session>();
  readonly #leases: LeaseWatch;
  readonly #unsubscribe: () => void;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    const { brain, clock, timers, terms } = parts;
    const onExpired = (node: Node): void => this.#expire(node);
    this.#leases = new LeaseWatch({ brain, clock, timers, terms, onExpired });
    this.#unsubscribe = brain.onCommitted((events) => this.#follow(events));
  }

  /** Once agents can connect: from here on leases run. The state is followed from the making on. */
  start(): void {
    this.#leases.start();
  }

  stop(): void {
    this.#unsubscribe();
    this.#leases.stop();
  }

  isConnected(nodeId: NodeId): boolean {
    return this.#sessions.get(nodeId)?.isOpen ?? false;
  }

  clockOf(nodeId: NodeId): ClockOffset | null {
    const session = this.#sessions.get(nodeId);
    return session?.isOpen === true ? session.clock : null;
  }

  /** Milliseconds since each node's last heartbeat, for the metrics. */
  heartbeatAgesMs(): ReadonlyMap<NodeId, number> {
    return this.#leases.agesMs();
  }

  /** False when the node's agent is not connected. */
  order(nodeId: NodeId, order: OpenChannel): boolean {
    const session = this.#sessions.get(nodeId);
    if (session === undefined || !session.isOpen) return false;
    session.outbox.openChannel(order);
    return true;
  }

  /** One stream, from hello to its end: the handler of `AgentService.Connect`. */
  async connect(
    messages: AsyncIterable<AgentMessage__Output>,
    replies: Sink<SchedulerMessage>,
  ): Promise<Refusal | undefined> {
    const iterator = messages[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true) return undefined;
    if (!first.value.hello) reject("hello", null, "not the first message", "Send `hello` first.");
    const hello = decodeHello(first.value.hello);
    const taken = this.#nameProblem(hello);
    if (taken !== null) return taken;
    const session = this.#open(hello, replies);
    try {
      const rest = { [Symbol.asyncIterator]: () => iterator };
      return await Promise.race([session.closed, this.#serve(session, hello, rest)]);
    } finally {
      this.#drop(session);
    }
  }

  async #serve(
    session: Session,
    hello: DecodedHello,
    messages: AsyncIterable<AgentMessage__Output>,
  ): Promise<Refusal | undefined> {
    const { brain, terms, cluster, logger } = this.#parts;
    const reply = await brain.execute({
      command: { kind: "node.register", ...hello },
      actor: { agent: session.nodeId },
      request: null,
    });
    if (reply.kind === "refusal") return reply;
    if (!session.isOpen) return undefined;
    logger.info({ node: session.nodeId, instance: session.instance }, "An agent has registered");
    session.outbox.welcome({
      leaseMs: terms.leaseMs,
      heartbeatIntervalMs: terms.heartbeatMs,
      objectStore: cluster.objectStore,
      trackerAddress: cluster.trackerAddress,
      schedulerVersion: cluster.version,
    });
    for await (const message of messages) this.#take(session, message);
    return undefined;
  }

  #take(session: Session, message: AgentMessage__Output): void {
    if (!session.isOpen) return; // Fenced or replaced: what still comes counts for nothing.
    switch (message.message) {
      case "heartbeat":
        this.#leases.heard(session.nodeId);
        session.clock = message.heartbeat?.clock ?? session.clock;
        session.outbox.acknowledge(message.heartbeat?.seq ?? 0);
        return;
      case "report":
        if (message.report) session.report(message.report);
        return;
      case "hello":
        return reject("hello", session.nodeId, "sent twice on one stream", "Open another stream.");
      case undefined:
        return; // A newer agent says what this scheduler does not know.
      default:
        return unreachable(message.message);
    }
  }

  /** A stream of the same life replaces the one before: the agent knows that it broke. */
  #open(hello: DecodedHello, sink: Sink<SchedulerMessage>): Session {
    const { brain, timers } = this.#parts;
    const nodeId = hello.spec.id;
    const session = new Session({ nodeId, instance: hello.instance, sink, brain, timers });
    this.#sessions.get(nodeId)?.close(replaced(nodeId));
    this.#sessions.set(nodeId, session);
    // From the hello's arrival, not from its registration: in between, the lease must not run out.
    this.#leases.heard(nodeId);
    return session;
  }

  #drop(session: Session): void {
    session.close(undefined);
    if (this.#sessions.get(session.nodeId) !== session) return;
    this.#sessions.delete(session.nodeId);
    this.#parts.logger.info({ node: session.nodeId }, "An agent's stream has ended");
  }

  #nameProblem({ spec, instance }: DecodedHello): Refusal | null {
    const held = this.#sessions.get(spec.id);
    if (held !== undefined && held.isOpen && held.instance !== instance) return nameTaken(spec.id);
    const node = this.#parts.brain.state().nodes.get(spec.id);
    if (node === undefined || node.health === "lost" || node.instance === instance) return null;
    // Another machine: the one that had the name may be cut off with its tasks still running. Only
    // the end of its lease says that they have stopped.
    return node.spec.address === spec.address ? null : nameTaken(spec.id);
  }

  /**
   * Runs right after a commit, when the state is what is on disk: what a crash could take back must
   * not reach an agent.
   */
  #follow(events: readonly LoggedEvent[]): void {
    const state = this.#parts.brain.state();
    const touched = nodesTouched(
      events.map((logged) => logged.event),
      state,
    );
    for (const id of touched) {
      const session = this.#sessions.get(id);
      session?.outbox.desire({ generation: state.seq, tasks: desiredFor(state, id) });
    }
  }

  /** No acknowledgement may follow the decision: it would extend a lease that is not honoured. */
  #expire(node: Node): void {
    const { brain, logger, terms } = this.#parts;
    const nodeId = node.spec.id;
    const command = { kind: "node.expire", nodeId, instance: node.instance } as const;
    this.#sessions.get(nodeId)?.close(leaseOver(nodeId));
    logger.warn({ node: nodeId, ...terms }, "A node is given up: not heard of for its lease");
    void brain.execute({ command, actor: "scheduler", request: null });
  }
}

const nameTaken = (id: NodeId): Refusal =>
  refuse(
    "NODE_NAME_TAKEN",
    `Another agent holds the node name "${id}".`,
    "Give this one another --name; if the other is gone, its name is free when its lease ends.",
    "hello.node",
  );

const replaced = (id: NodeId): Refusal =>
  refuse("SHUTTING_DOWN", `Another stream of node ${id} took over.`, "Nothing is to be done.");

const leaseOver = (id: NodeId): Refusal =>
  refuse("SHUTTING_DOWN", `The lease of node ${id} has ended.`, "Connect and register again.");
