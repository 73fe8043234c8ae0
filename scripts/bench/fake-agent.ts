// An agent that speaks the real protocol and runs nothing: it says of every task that it runs, until it
// is told to end one, or the task's pretended time is over. Light enough for hundreds of them in one
// process.

import { randomUUID } from "node:crypto";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { AgentMessage } from "../../src/rpc/gen/trainyard/v1/AgentMessage.ts";
import type { Desired__Output } from "../../src/rpc/gen/trainyard/v1/Desired.ts";
import type { DesiredTask__Output } from "../../src/rpc/gen/trainyard/v1/DesiredTask.ts";
import type { Hello } from "../../src/rpc/gen/trainyard/v1/Hello.ts";
import type { NodeReport } from "../../src/rpc/gen/trainyard/v1/NodeReport.ts";
import type { ObservedTask } from "../../src/rpc/gen/trainyard/v1/ObservedTask.ts";
import type { SchedulerMessage__Output } from "../../src/rpc/gen/trainyard/v1/SchedulerMessage.ts";
import { decodeService } from "../../src/rpc/loader.ts";

export interface FakeAgentOptions {
  /** `host:port`. */
  readonly scheduler: string;
  readonly node: string;
  readonly gpus: number;
  readonly onWelcome?: () => void;
  /** A task that this agent has not been told of before. */
  readonly onTask?: (jobId: string) => void;
  /** How long a task pretends to run, by its command; default: until `endOldest`. */
  readonly runMsOf?: (argv: readonly string[]) => number;
  /** The scheduler has noted a task's end: its own, or the one that it was asked for. */
  readonly onOver?: (isWell: boolean) => void;
}

/** A real agent waits longer after a failure; here the scheduler's restart is what is timed. */
const REDIAL_MS = 10;
const ENDED_WELL = { state: "ended", exit: { reason: "exited", code: 0, message: "" } } as const;
const STOPPED = { state: "ended", exit: { reason: "stopped", code: 0, message: "" } } as const;

const { Connect } = decodeService("AgentService");

export class FakeAgent {
  readonly #options: FakeAgentOptions;
  readonly #instance = randomUUID();
  readonly #tasks = new Map<string, ObservedTask>();
  #client: Client | null = null;
  #stream: ClientDuplexStream<AgentMessage, SchedulerMessage__Output> | null = null;
  #heartbeats: NodeJS.Timeout | null = null;
  #generation = 0;
  #isStopped = false;
  #isReportDue = false;

  constructor(options: FakeAgentOptions) {
    this.#options = options;
  }

  get taskCount(): number {
    return this.#tasks.size;
  }

  dial(): void {
    if (this.#isStopped) return;
    // A connection of its own each, as on machines of their own.
    const client = new Client(this.#options.scheduler, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_http_proxy": 0,
    });
    const { path, requestSerialize, responseDeserialize } = Connect;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#client = client;
    this.#stream = stream;
    stream.on("data", (message: SchedulerMessage__Output) => this.#take(message));
    // An end shows as a status too, and there only once.
    stream.on("error", () => undefined);
    stream.on("status", () => {
      if (this.#stream === stream) this.#redial();
    });
    stream.write({ hello: this.#hello() });
  }

  stop(): void {
    this.#isStopped = true;
    this.#hangUp();
  }

  /** The oldest task ends well; said at once when connected, else with the next hello. */
  endOldest(): void {
    for (const [key, task] of this.#tasks) {
      if (task.state !== "running") continue;
      this.#end(key, task, ENDED_WELL);
      return;
    }
  }

  #take({ welcome, desired }: SchedulerMessage__Output): void {
    if (welcome) {
      this.#options.onWelcome?.();
      this.#beatEvery(welcome.heartbeatIntervalMs);
    }
    if (desired) this.#follow(desired);
  }

  #follow(desired: Desired__Output): void {
    this.#generation = desired.generation;
    const wanted = new Set<string>();
    for (const task of desired.tasks) {
      const key = `${task.jobId}/${task.attempt}`;
      wanted.add(key);
      const known = this.#tasks.get(key);
      if (known === undefined) this.#begin(key, task);
      else if (task.stop !== null && known.state === "running") this.#end(key, known, STOPPED);
    }
    for (const [key, task] of this.#tasks) {
      if (wanted.has(key)) continue;
      this.#tasks.delete(key);
      this.#options.onOver?.(task.exit?.reason === ENDED_WELL.exit.reason);
    }
    this.#reportSoon();
  }

  #begin(key: string, { jobId, attempt, rank, spec }: DesiredTask__Output): void {
    const { onTask, runMsOf } = this.#options;
    const task = { jobId, attempt, rank, state: "running", rendezvous: null };
    this.#tasks.set(key, task);
    onTask?.(jobId);
    if (runMsOf === undefined) return;
    const runMs = runMsOf(spec?.exec?.argv ?? []);
    setTimeout(() => {
      if (this.#tasks.get(key) === task) this.#end(key, task, ENDED_WELL);
    }, runMs);
  }

  #end(key: string, task: ObservedTask, ended: typeof ENDED_WELL | typeof STOPPED): void {
    this.#tasks.set(key, { ...task, ...ended });
    this.#reportSoon();
  }

  /** What happens in one turn of the event loop is told in one report. */
  #reportSoon(): void {
    if (this.#isReportDue) return;
    this.#isReportDue = true;
    setImmediate(() => {
      this.#isReportDue = false;
      this.#stream?.write({ report: this.#report() });
    });
  }

  #beatEvery(intervalMs: number): void {
    let seq = 0;
    this.#heartbeats = setInterval(() => {
      seq += 1;
      this.#stream?.write({ heartbeat: { seq } });
    }, intervalMs);
  }

  #redial(): void {
    this.#hangUp();
    setTimeout(() => this.dial(), REDIAL_MS);
  }

  #hangUp(): void {
    if (this.#heartbeats !== null) clearInterval(this.#heartbeats);
    this.#heartbeats = null;
    const stream = this.#stream;
    this.#stream = null;
    stream?.cancel();
    this.#client?.close();
    this.#client = null;
  }

  #hello(): Hello {
    const { node, gpus } = this.#options;
    return {
      node,
      instance: this.#instance,
      address: "127.0.0.1",
      gpus: Array.from({ length: gpus }, (_, index) => ({
        index,
        uuid: `GPU-${node}-${index}`,
        type: "H100",
        memoryMib: 81_559,
      })),
      cpuMilli: 64_000,
      memoryMib: 512_000,
      labels: {},
      version: "0.1.0",
      report: this.#report(),
    };
  }

  #report(): NodeReport {
    return { generation: this.#generation, tasks: [...this.#tasks.values()] };
  }
}
