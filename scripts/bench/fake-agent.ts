// An agent that speaks the real protocol and runs nothing: it says of every task that it runs, until it
// is told to end one. Light enough for hundreds of them in one process.

import { randomUUID } from "node:crypto";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { AgentMessage } from "../../src/rpc/gen/trainyard/v1/AgentMessage.ts";
import type { Desired__Output } from "../../src/rpc/gen/trainyard/v1/Desired.ts";
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
}

/** A real agent waits longer after a failure; here the scheduler's restart is what is timed. */
const REDIAL_MS = 10;
const ENDED_WELL = { state: "ended", exit: { reason: "exited", code: 0, message: "" } } as const;

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
      this.#tasks.set(key, { ...task, ...ENDED_WELL });
      break;
    }
    this.#stream?.write({ report: this.#report() });
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
    for (const { jobId, attempt, rank } of desired.tasks) {
      const key = `${jobId}/${attempt}`;
      wanted.add(key);
      if (this.#tasks.has(key)) continue;
      this.#tasks.set(key, { jobId, attempt, rank, state: "running", rendezvous: null });
      this.#options.onTask?.(jobId);
    }
    for (const key of this.#tasks.keys()) if (!wanted.has(key)) this.#tasks.delete(key);
    this.#stream?.write({ report: this.#report() });
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
