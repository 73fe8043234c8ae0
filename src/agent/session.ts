// The agent's stream to its scheduler: dials, says hello, sends heartbeats and reports, and dials
// again when it breaks. Decides nothing about tasks; a broken stream stops none.

import { setTimeout as sleep } from "node:timers/promises";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { type ClockOffset, clockOffset } from "../base/clock-offset.ts";
import type { AgentMessage } from "../rpc/gen/trainyard/v1/AgentMessage.ts";
import type { Desired__Output } from "../rpc/gen/trainyard/v1/Desired.ts";
import type { HeartbeatAck__Output } from "../rpc/gen/trainyard/v1/HeartbeatAck.ts";
import type { Hello } from "../rpc/gen/trainyard/v1/Hello.ts";
import type { NodeReport } from "../rpc/gen/trainyard/v1/NodeReport.ts";
import type { OpenChannel__Output } from "../rpc/gen/trainyard/v1/OpenChannel.ts";
import type { SchedulerMessage__Output } from "../rpc/gen/trainyard/v1/SchedulerMessage.ts";
import type { Welcome__Output } from "../rpc/gen/trainyard/v1/Welcome.ts";
import { backoffMs } from "./core/backoff.ts";
import type { AgentLog, SchedulerPort } from "./ports.ts";
import { bootMs } from "./proc.ts";

/** What the session tells its agent. Times are by the boot clock. */
export interface SessionListener {
  hello(): Hello;
  welcomed(welcome: Welcome__Output, helloSentAtMs: number): void;
  heartbeatSent(seq: number, atMs: number): void;
  heartbeatAcked(seq: number): void;
  desired(message: Desired__Output, atMs: number): void;
  openChannel(message: OpenChannel__Output): void;
  disconnected(): void;
}

export interface SessionOptions {
  readonly scheduler: SchedulerPort;
  readonly listener: SessionListener;
  readonly log: AgentLog;
  readonly random: () => number;
}

/** A scheduler that does not answer the hello within this is dialled anew. */
const WELCOME_TIMEOUT_MS = 5_000;
/** So many heartbeat intervals without a word, at least this long: the connection is half dead. */
const SILENT_INTERVALS = 4;
const SILENCE_MIN_MS = 4_000;
/** Failures in a row from which on a person may have to act. */
const FAILURES_TO_WARN = 5;

export type Stream = ClientDuplexStream<AgentMessage, SchedulerMessage__Output>;

export class Session {
  readonly #options: SessionOptions;
  readonly #stopper = new AbortController();
  #loop: Promise<void> | null = null;
  /** The newest, welcomed or not: a stop that found it half open would wait for it for ever. */
  #stream: Stream | null = null;
  /** Set between welcome and the end of the stream. */
  #open: Stream | null = null;
  #failures = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopper.abort();
    this.#stream?.cancel();
    await this.#loop;
  }

  get isConnected(): boolean {
    return this.#open !== null;
  }

  /** Dropped while there is no stream: the next hello carries everything. */
  report(report: NodeReport): void {
    this.#open?.write({ report });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopper;
    while (!signal.aborted) {
      const why = await this.#connectOnce();
      if (signal.aborted) return;
      this.#failures += 1;
      this.#complain(why);
      const waitMs = backoffMs(this.#failures, this.#options.random());
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #complain(why: string): void {
    const fields = { why, failures: this.#failures };
    if (this.#failures === 1) this.#options.log.info(fields, "scheduler connection ended");
    if (this.#failures === FAILURES_TO_WARN)
      this.#options.log.warn(fields, "scheduler unreachable");
  }

  /** One life of a stream; resolves with why it ended. */
  #connectOnce(): Promise<string> {
    const { scheduler, listener } = this.#options;
    const stream = scheduler.connect();
    this.#stream = stream;
    const life = new StreamLife(stream, this.#options, () => {
      this.#failures = 0;
      this.#open = stream;
    });
    return life.run().finally(() => {
      if (this.#open !== stream) return;
      this.#open = null;
      listener.disconnected();
    });
  }
}

/** What belongs to one stream and ends with it: its timers and its heartbeat numbers. */
class StreamLife {
  readonly #stream: Stream;
  readonly #options: SessionOptions;
  readonly #onWelcome: () => void;
  #helloSentAtMs = 0;
  #heardAtMs = 0;
  #seq = 0;
  /** When the newest heartbeat was sent. */
  #sentAtMs = 0;
  #clock: ClockOffset | null = null;
  #heartbeats: NodeJS.Timeout | null = null;

  constructor(stream: Stream, options: SessionOptions, onWelcome: () => void) {
    this.#stream = stream;
    this.#options = options;
    this.#onWelcome = onWelcome;
  }

  run(): Promise<string> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => this.#giveUp("no welcome"), WELCOME_TIMEOUT_MS);
      const end = (why: string): void => {
        clearTimeout(patience);
        if (this.#heartbeats !== null) clearInterval(this.#heartbeats);
        resolve(why);
      };
      this.#stream.on("error", (error) => end(error.message));
      this.#stream.on("end", () => {
        this.#stream.end();
        end("closed by the scheduler");
      });
      this.#stream.on("data", (message: SchedulerMessage__Output) => {
        if (message.welcome) clearTimeout(patience);
        this.#take(message);
      });
      this.#helloSentAtMs = bootMs();
      this.#stream.write({ hello: this.#options.listener.hello() });
    });
  }

  #take(message: SchedulerMessage__Output): void {
    const { listener, log } = this.#options;
    this.#heardAtMs = bootMs();
    try {
      if (message.welcome) this.#welcome(message.welcome);
      else if (message.heartbeatAck) this.#acked(message.heartbeatAck);
      else if (message.desired) listener.desired(message.desired, this.#heardAtMs);
      else if (message.openChannel) listener.openChannel(message.openChannel);
    } catch (error) {
      // What another version or a fault sent is no reason to end: the stream is made anew.
      log.error({ error: String(error) }, "message from the scheduler not understood");
      this.#giveUp(String(error));
    }
  }

  #welcome(welcome: Welcome__Output): void {
    if (this.#heartbeats !== null) return;
    const intervalMs = Math.max(50, welcome.heartbeatIntervalMs);
    this.#onWelcome();
    this.#options.listener.welcomed(welcome, this.#helloSentAtMs);
    this.#heartbeats = setInterval(() => this.#beat(intervalMs), intervalMs);
  }

  #beat(intervalMs: number): void {
    const nowMs = bootMs();
    const silenceMs = Math.max(SILENCE_MIN_MS, SILENT_INTERVALS * intervalMs);
    if (nowMs - this.#heardAtMs > silenceMs) {
      this.#giveUp(`silent for ${nowMs - this.#heardAtMs} ms`);
      return;
    }
    this.#seq += 1;
    this.#sentAtMs = nowMs;
    this.#options.listener.heartbeatSent(this.#seq, nowMs);
    this.#stream.write({ heartbeat: { seq: this.#seq, clock: this.#clock } });
  }

  #acked({ seq, nowUnixMs }: HeartbeatAck__Output): void {
    this.#options.listener.heartbeatAcked(seq);
    // An older scheduler does not tell its time; an older heartbeat was sent at another.
    if (nowUnixMs === 0 || seq !== this.#seq) return;
    const roundTripMs = this.#heardAtMs - this.#sentAtMs;
    this.#clock = clockOffset({ roundTripMs, oursMs: Date.now(), theirsMs: nowUnixMs });
  }

  /** The stream ends with an error, which `run` tells. */
  #giveUp(why: string): void {
    this.#stream.destroy(new Error(why));
    this.#stream.cancel();
  }
}
