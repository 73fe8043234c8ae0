// Log readers and terminals: each on a stream of its own, opened when the scheduler asks, so that
// none of them ever delays a heartbeat.

import { once } from "node:events";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { jobId } from "../base/ids.ts";
import type { AttachChannel__Output } from "../rpc/gen/trainyard/v1/AttachChannel.ts";
import type { ChannelFrame, ChannelFrame__Output } from "../rpc/gen/trainyard/v1/ChannelFrame.ts";
import type { LogChannel__Output } from "../rpc/gen/trainyard/v1/LogChannel.ts";
import type { OpenChannel__Output } from "../rpc/gen/trainyard/v1/OpenChannel.ts";
import { openTerminal, type Terminal } from "./attach.ts";
import type { TaskKey } from "./core/task-key.ts";
import { readLogs } from "./logs.ts";
import type { AgentLog, SchedulerPort } from "./ports.ts";
import type { TaskFolder } from "./task-folder.ts";

/** What channels need to know of the agent's tasks. */
export interface ChannelTasks {
  /** Null when nothing of it is on this node. */
  folderOf(key: TaskKey): TaskFolder | null;
  /** Environment and folder for a terminal; null when no process of the task runs here. */
  terminalPlace(key: TaskKey): { env: Readonly<Record<string, string>>; cwd: string } | null;
  /** No more output will come. */
  isOver(key: TaskKey): boolean;
}

export interface ChannelsOptions {
  readonly node: string;
  readonly scheduler: SchedulerPort;
  readonly tasks: ChannelTasks;
  readonly log: AgentLog;
}

type Stream = ClientDuplexStream<ChannelFrame, ChannelFrame__Output>;

/** More channels at once than this are refused. */
const CHANNELS_MAX = 256;

export class Channels {
  readonly #options: ChannelsOptions;
  readonly #open = new Set<AbortController>();

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  open(message: OpenChannel__Output): void {
    void this.#run(message);
  }

  stop(): void {
    for (const stopper of this.#open) stopper.abort();
  }

  async #run(message: OpenChannel__Output): Promise<void> {
    const stopper = new AbortController();
    const stream = this.#options.scheduler.channel();
    stream.on("error", () => stopper.abort());
    stream.on("close", () => stopper.abort());
    stopper.signal.addEventListener("abort", () => stream.cancel(), { once: true });
    stream.write({ channelId: message.channelId });
    this.#open.add(stopper);
    try {
      if (this.#open.size > CHANNELS_MAX) throw new Error(`${CHANNELS_MAX} channels are open here`);
      if (message.logs) await this.#logs(stream, message.logs, stopper.signal);
      else if (message.attach) await this.#attach(stream, message.attach, stopper.signal);
    } catch (error) {
      if (stopper.signal.aborted) return; // The reader has gone: nobody is left to be told.
      const why = error instanceof Error ? error.message : String(error);
      stream.write({ error: why });
      this.#options.log.info({ channel: message.channelId, why }, "channel refused");
    } finally {
      this.#open.delete(stopper);
      stream.end();
    }
  }

  async #logs(stream: Stream, message: LogChannel__Output, signal: AbortSignal): Promise<void> {
    const { tasks, node } = this.#options;
    const key = keyOf(message);
    const folder = tasks.folderOf(key);
    if (folder === null) throw new Error(`${nameOf(key)} left no output on node ${node}`);
    stream.resume();
    const { attempt, rank } = key;
    const chunks = readLogs(
      { stdout: folder.file("stdout"), stderr: folder.file("stderr") },
      { ...message, isOver: () => tasks.isOver(key), signal },
    );
    for await (const chunk of chunks) {
      const hasRoom = stream.write({ log: { attempt, rank, node, ...chunk } });
      if (!hasRoom) await once(stream, "drain", { signal });
    }
  }

  async #attach(
    stream: Stream,
    message: AttachChannel__Output,
    signal: AbortSignal,
  ): Promise<void> {
    const key = keyOf(message);
    const place = this.#options.tasks.terminalPlace(key);
    if (place === null) throw new Error(`${nameOf(key)} does not run on ${this.#options.node}`);
    const size = { columns: message.size?.columns ?? 80, rows: message.size?.rows ?? 24 };
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      const opening = openTerminal(
        { argv: message.argv, ...place, ...size },
        {
          output: (data) => {
            if (!stream.write({ output: data })) void this.#holdUp(opening, stream, signal);
          },
          ended: (exitCode) => {
            stream.write({ exitCode });
            resolve();
          },
        },
      );
      opening.then((terminal) => connect(stream, terminal, signal), reject);
    });
  }

  async #holdUp(opening: Promise<Terminal>, stream: Stream, signal: AbortSignal): Promise<void> {
    const terminal = await opening;
    terminal.pause();
    // Broken off, there is nothing to resume: the terminal is killed then.
    await once(stream, "drain", { signal }).then(
      () => terminal.resume(),
      () => undefined,
    );
  }
}

function connect(stream: Stream, terminal: Terminal, signal: AbortSignal): void {
  stream.on("data", (frame: ChannelFrame__Output) => {
    if (frame.input) terminal.write(frame.input);
    else if (frame.resize) terminal.resize(frame.resize.columns, frame.resize.rows);
  });
  // The user hung up: so does the terminal. After its end this finds nobody.
  stream.on("end", () => terminal.kill());
  signal.addEventListener("abort", () => terminal.kill(), { once: true });
  if (signal.aborted) terminal.kill(); // While it was being opened.
}

function keyOf(message: { jobId: string; attempt: number; rank: number }): TaskKey {
  return { jobId: jobId(message.jobId), attempt: message.attempt, rank: message.rank };
}

function nameOf(key: TaskKey): string {
  return `attempt ${key.attempt} of ${key.jobId}, rank ${key.rank},`;
}
