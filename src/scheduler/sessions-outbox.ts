// What is to be sent to one agent, under back-pressure: of acknowledgements and desired states only
// the newest waits, so a slow agent gets the latest truth and never a backlog.

import type { OpenChannel } from "../rpc/gen/trainyard/v1/OpenChannel.ts";
import type { SchedulerMessage } from "../rpc/gen/trainyard/v1/SchedulerMessage.ts";
import type { Welcome } from "../rpc/gen/trainyard/v1/Welcome.ts";
import type { Sink } from "../rpc/streams.ts";
import { desiredView, type NodeDesired } from "./views-desired.ts";

export interface OutboxParts {
  readonly sink: Sink<SchedulerMessage>;
  /** By the clock that dates the events. */
  readonly nowMs: () => number;
  /** Sending failed: the stream is over. */
  readonly onBroken: () => void;
}

export class Outbox {
  readonly #parts: OutboxParts;
  #welcome: Welcome | null = null;
  #isWelcomed = false;
  #ackSeq: number | null = null;
  #desired: NodeDesired | null = null;
  /** Bounded by the limit on channels to one node. */
  readonly #channels: OpenChannel[] = [];
  #isSending = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** The first message; what was put before waits for it. */
  welcome(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#isWelcomed = true;
    this.#kick();
  }

  acknowledge(seq: number): void {
    this.#ackSeq = Math.max(seq, this.#ackSeq ?? 0);
    this.#kick();
  }

  /** Replaces one that was not sent yet. */
  desire(desired: NodeDesired): void {
    this.#desired = desired;
    this.#kick();
  }

  openChannel(order: OpenChannel): void {
    this.#channels.push(order);
    this.#kick();
  }

  #kick(): void {
    if (this.#isSending || !this.#isWelcomed) return;
    this.#isSending = true;
    this.#sendAll().catch(() => this.#parts.onBroken());
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      await this.#parts.sink.send(next);
    }
    // In the same turn as the last look, or what is put in between would wait for ever. After a
    // failure it stays set: nothing more is sent.
    this.#isSending = false;
  }

  /** Acknowledgements first: leases hang on them. */
  #next(): SchedulerMessage | null {
    if (this.#welcome !== null) {
      const welcome = this.#welcome;
      this.#welcome = null;
      return { welcome };
    }
    if (this.#ackSeq !== null) {
      const seq = this.#ackSeq;
      this.#ackSeq = null;
      return { heartbeatAck: { seq, nowUnixMs: this.#parts.nowMs() } };
    }
    if (this.#desired !== null) {
      const desired = desiredView(this.#desired, this.#parts.nowMs());
      this.#desired = null;
      return { desired };
    }
    const openChannel = this.#channels.shift();
    return openChannel === undefined ? null : { openChannel };
  }
}
