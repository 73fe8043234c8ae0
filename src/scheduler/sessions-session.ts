// One agent's stream: its outbox, its reports on their way to the loop, and whether it still
// counts.

import type { ClockOffset } from "../base/clock-offset.ts";
import type { Refusal } from "../base/errors.ts";
import type { AgentInstanceId, NodeId } from "../base/ids.ts";
import type { NodeReport__Output } from "../rpc/gen/trainyard/v1/NodeReport.ts";
import type { SchedulerMessage } from "../rpc/gen/trainyard/v1/SchedulerMessage.ts";
import type { Sink } from "../rpc/streams.ts";
import type { NodeReport } from "./core/commands.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain } from "./service-ports.ts";
import { decodeReport } from "./sessions-decode.ts";
import { Outbox } from "./sessions-outbox.ts";

export interface SessionParts {
  readonly nodeId: NodeId;
  readonly instance: AgentInstanceId;
  readonly sink: Sink<SchedulerMessage>;
  readonly brain: Pick<Brain, "execute" | "nowMs">;
  readonly timers: TimerPort;
}

/** When the loop is full, a report is handed to it again after this. */
const RETRY_MS = 200;

export class Session {
  readonly nodeId: NodeId;
  readonly instance: AgentInstanceId;
  readonly outbox: Outbox;
  /** Resolves when the session is ended from this side, with what the agent is told. */
  readonly closed: Promise<Refusal | undefined>;
  /** As the agent last measured it. */
  clock: ClockOffset | null = null;
  readonly #parts: SessionParts;
  #close: (why: Refusal | undefined) => void = () => undefined;
  #isOpen = true;
  /** The newest report that the loop has not got yet. */
  #waiting: NodeReport | null = null;
  #isReporting = false;

  constructor(parts: SessionParts) {
    const { nodeId, instance, sink, brain } = parts;
    this.#parts = parts;
    this.nodeId = nodeId;
    this.instance = instance;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    const onBroken = (): void => this.close(undefined);
    this.outbox = new Outbox({ sink, nowMs: () => brain.nowMs(), onBroken });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(why: Refusal | undefined): void {
    this.#isOpen = false;
    this.#waiting = null;
    this.#close(why);
  }

  /** A report is the whole truth: of those that wait for the loop only the newest is kept. */
  report(message: NodeReport__Output): void {
    this.#waiting = decodeReport(message, this.nodeId, this.instance);
    if (this.#isReporting) return;
    this.#isReporting = true;
    void this.#reportAll();
  }

  async #reportAll(): Promise<void> {
    while (this.#waiting !== null) {
      const report = this.#waiting;
      this.#waiting = null;
      const { brain, timers } = this.#parts;
      const reply = await brain.execute({
        command: { kind: "node.report", report },
        actor: { agent: this.nodeId },
        request: null,
      });
      if (reply.kind === "accepted") continue;
      // Given up meanwhile, or the scheduler stops: a new stream begins with the whole again.
      if (reply.code !== "TOO_MANY_REQUESTS") return this.close(reply);
      await new Promise<void>((resolve) => void timers.after(RETRY_MS, resolve));
      if (this.#isOpen) this.#waiting ??= report;
    }
    // In the same turn as the last look, or a report that comes in between would wait for ever.
    this.#isReporting = false;
  }
}
