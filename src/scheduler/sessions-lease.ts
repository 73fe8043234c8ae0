// Which nodes are given up: those not heard of for lease and margin. Owns when each was last heard,
// by the monotonic clock; a restart of the scheduler gives every node a full term anew.

import type { NodeId } from "../base/ids.ts";
import type { Clock } from "../base/time.ts";
import { type LeaseTerms, lostAtMs } from "./core/lease.ts";
import type { Node } from "./core/state.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain } from "./service-ports.ts";

export interface LeaseWatchParts {
  readonly brain: Pick<Brain, "state">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: TimerPort;
  readonly terms: LeaseTerms;
  /** Called once for each node whose time is up, in this turn of the event loop. */
  readonly onExpired: (node: Node) => void;
}

export class LeaseWatch {
  readonly #parts: LeaseWatchParts;
  readonly #heardAtMs = new Map<NodeId, number>();
  readonly #sweepEveryMs: number;
  #sweptAtMs: number;
  #cancel: (() => void) | null = null;

  constructor(parts: LeaseWatchParts) {
    this.#parts = parts;
    this.#sweepEveryMs = Math.max(50, Math.min(1_000, Math.floor(parts.terms.leaseMs / 10)));
    this.#sweptAtMs = parts.clock.monotonicMs();
  }

  /** From here on nodes are watched; each has a full term from now. */
  start(): void {
    this.#sweptAtMs = this.#parts.clock.monotonicMs();
    for (const id of this.#parts.brain.state().nodes.keys()) this.heard(id);
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** The node's agent has been heard of: a hello or a heartbeat. */
  heard(id: NodeId): void {
    this.#heardAtMs.set(id, this.#parts.clock.monotonicMs());
  }

  /** Milliseconds since each watched node was heard of. */
  agesMs(): ReadonlyMap<NodeId, number> {
    const nowMs = this.#parts.clock.monotonicMs();
    return new Map([...this.#heardAtMs].map(([id, atMs]) => [id, nowMs - atMs]));
  }

  #schedule(): void {
    this.#cancel = this.#parts.timers.after(this.#sweepEveryMs, () => {
      this.#sweep();
      this.#schedule();
    });
  }

  #sweep(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    // After a stall of this process, heartbeats wait unread in the sockets: read them first.
    const wasStalled = nowMs - this.#sweptAtMs > 3 * this.#sweepEveryMs;
    this.#sweptAtMs = nowMs;
    if (wasStalled) return;
    const { nodes } = this.#parts.brain.state();
    for (const id of this.#heardAtMs.keys()) if (!nodes.has(id)) this.#heardAtMs.delete(id);
    for (const [id, node] of nodes) if (node.health === "up") this.#look(id, node, nowMs);
  }

  #look(id: NodeId, node: Node, nowMs: number): void {
    const heardAtMs = this.#heardAtMs.get(id);
    if (heardAtMs === undefined) this.#heardAtMs.set(id, nowMs);
    else if (nowMs >= lostAtMs(heardAtMs, this.#parts.terms)) {
      this.#heardAtMs.set(id, nowMs); // Asked once a term, should the command be refused.
      this.#parts.onExpired(node);
    }
  }
}
