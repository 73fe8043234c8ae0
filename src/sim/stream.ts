// One connection between an agent and the scheduler. Messages keep their order in each direction and
// wait while the way is blocked. When it breaks, what was under way is lost, and each side learns of it
// in its own time: that is when an old stream and a new one overlap.

import type { AgentMessage, SchedulerMessage } from "./messages.ts";
import type { Timeline } from "./timeline.ts";

export type Message = AgentMessage | SchedulerMessage;

/** What a stream needs of the network below it. */
export interface Wire {
  canReach(from: string, to: string): boolean;
  delayMs(): number;
  /** Whether the message that is sent now takes the stream down. */
  breaks(): boolean;
  /** How long one side takes to notice that the other is gone without a word. */
  noticeMs(): number;
}

export interface StreamSide {
  readonly host: string;
  onMessage(stream: Stream, message: Message): void;
  onClosed(stream: Stream): void;
}

type Item = { readonly kind: "message"; readonly message: Message } | { readonly kind: "end" };

interface Pipe {
  readonly from: string;
  readonly to: StreamSide;
  readonly queue: { readonly readyAtMs: number; readonly item: Item }[];
  /** The receiver has closed, or was told of the end. */
  isShut: boolean;
  isPumping: boolean;
}

export class Stream {
  private readonly timeline: Timeline;
  private readonly wire: Wire;
  private readonly up: Pipe;
  private readonly down: Pipe;

  constructor(timeline: Timeline, wire: Wire, caller: StreamSide, callee: StreamSide) {
    this.timeline = timeline;
    this.wire = wire;
    this.up = { from: caller.host, to: callee, queue: [], isShut: false, isPumping: false };
    this.down = { from: callee.host, to: caller, queue: [], isShut: false, isPumping: false };
  }

  /** Neither side listens any more. */
  get isOver(): boolean {
    return this.up.isShut && this.down.isShut;
  }

  sendUp(message: AgentMessage): void {
    this.send(this.up, this.down, message);
  }

  sendDown(message: SchedulerMessage): void {
    this.send(this.down, this.up, message);
  }

  /** The caller hangs up, or its process dies: what it sent before still arrives. */
  closeByCaller(): void {
    this.down.isShut = true;
    this.enqueue(this.up, { kind: "end" });
  }

  /** The caller's machine is gone without a word: the other side hears nothing at all. */
  vanishCaller(): void {
    this.down.isShut = true;
    this.up.queue.length = 0;
  }

  closeByCallee(): void {
    this.up.isShut = true;
    this.enqueue(this.down, { kind: "end" });
  }

  /** The way is open again, or a machine has woken up. */
  wake(): void {
    this.pump(this.up);
    this.pump(this.down);
  }

  private send(pipe: Pipe, back: Pipe, message: Message): void {
    if (back.isShut) return; // The sender itself has closed.
    if (this.wire.breaks()) this.break();
    else this.enqueue(pipe, { kind: "message", message });
  }

  private break(): void {
    for (const pipe of [this.up, this.down]) {
      pipe.queue.length = 0;
      const readyAtMs = this.timeline.nowMs + this.wire.noticeMs();
      pipe.queue.push({ readyAtMs, item: { kind: "end" } });
      this.pump(pipe);
    }
  }

  private enqueue(pipe: Pipe, item: Item): void {
    if (pipe.isShut) return;
    const last = pipe.queue.at(-1)?.readyAtMs ?? 0;
    const readyAtMs = Math.max(last, this.timeline.nowMs + this.wire.delayMs());
    pipe.queue.push({ readyAtMs, item });
    this.pump(pipe);
  }

  private pump(pipe: Pipe): void {
    const head = pipe.queue[0];
    if (head === undefined || pipe.isPumping || pipe.isShut) return;
    pipe.isPumping = true;
    this.timeline.after(head.readyAtMs - this.timeline.nowMs, () => {
      pipe.isPumping = false;
      const next = pipe.queue[0];
      if (next === undefined || pipe.isShut) return;
      if (next.readyAtMs <= this.timeline.nowMs) {
        if (!this.wire.canReach(pipe.from, pipe.to.host)) return; // `wake` goes on from here.
        pipe.queue.shift();
        this.deliver(pipe, next.item);
      }
      this.pump(pipe);
    });
  }

  private deliver(pipe: Pipe, item: Item): void {
    if (item.kind === "message") return pipe.to.onMessage(this, item.message);
    pipe.isShut = true;
    pipe.to.onClosed(this);
  }
}
