// The virtual network: who can reach whom, and how long it takes. Streams keep their order and lose
// nothing until they break, like TCP; calls may be lost, doubled and overtaken.

import type { Prng } from "../base/prng.ts";
import type { Faults } from "./faults.ts";
import { Stream, type StreamSide, type Wire } from "./stream.ts";
import type { Timeline } from "./timeline.ts";

const SLOW_MS_MAX = 4_000;
/** Now and then longer than a lease. */
const VERY_SLOW_MS_MAX = 25_000;

export class Network implements Wire {
  private readonly timeline: Timeline;
  private readonly prng: Prng;
  private readonly blocked = new Set<string>();
  private readonly paused = new Set<string>();
  private readonly streams = new Set<Stream>();
  faults: Faults;

  constructor(timeline: Timeline, prng: Prng, faults: Faults) {
    this.timeline = timeline;
    this.prng = prng;
    this.faults = faults;
  }

  /** One way: what `from` sends does not reach `to` until it is unblocked. */
  block(from: string, to: string): void {
    this.blocked.add(`${from}>${to}`);
  }

  unblock(from: string, to: string): void {
    this.blocked.delete(`${from}>${to}`);
    for (const stream of this.streams) stream.wake();
  }

  healAll(): void {
    this.blocked.clear();
    for (const stream of this.streams) stream.wake();
  }

  /** A suspended machine gets nothing until it wakes up. */
  pause(host: string): void {
    this.paused.add(host);
  }

  resume(host: string): void {
    this.paused.delete(host);
    for (const stream of this.streams) stream.wake();
  }

  canReach(from: string, to: string): boolean {
    return !this.blocked.has(`${from}>${to}`) && !this.paused.has(to);
  }

  dial(caller: StreamSide, callee: StreamSide): Stream {
    const stream = new Stream(this.timeline, this, caller, callee);
    this.streams.add(stream);
    for (const known of this.streams) if (known.isOver) this.streams.delete(known);
    return stream;
  }

  /** One message of a call: arrives not at all, once, or twice. */
  call(from: string, to: string, deliver: () => void): void {
    const { callLost, callTwice } = this.faults;
    const copies = this.prng.chance(callLost, 1_000)
      ? 0
      : this.prng.chance(callTwice, 1_000)
        ? 2
        : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.timeline.after(this.delayMs(), () => {
        if (this.canReach(from, to)) deliver();
      });
    }
  }

  delayMs(): number {
    const { prng } = this;
    if (!prng.chance(this.faults.slowMessage, 1_000)) return 1 + prng.below(4);
    return prng.below(prng.chance(1, 20) ? VERY_SLOW_MS_MAX : SLOW_MS_MAX);
  }

  breaks(): boolean {
    return this.prng.chance(this.faults.streamBreak, 1_000);
  }

  noticeMs(): number {
    return this.prng.below(10_000);
  }

  chance(thousandths: number): boolean {
    return this.prng.chance(thousandths, 1_000);
  }
}
