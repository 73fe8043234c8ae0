// A scheduler that is only its wire: it takes agents' streams, says what the test wants, and notes
// what they report. With it, real agents run real processes.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { jobId } from "../../src/base/ids.ts";
import { Agent } from "../../src/agent/agent.ts";
import type {
  AgentPorts,
  CheckpointWatchOptions,
  MetricBatch,
  SchedulerPort,
} from "../../src/agent/ports.ts";
import type { TaskKey } from "../../src/agent/core/task-key.ts";
import { findMarked, signal } from "../../src/agent/proc.ts";
import { listTaskKeys, TaskFolder } from "../../src/agent/task-folder.ts";
import { decodeService } from "../../src/rpc/loader.ts";
import type { AgentMessage__Output } from "../../src/rpc/gen/trainyard/v1/AgentMessage.ts";
import type { AgentServiceClient } from "../../src/rpc/gen/trainyard/v1/AgentService.ts";
import type {
  ChannelFrame,
  ChannelFrame__Output,
} from "../../src/rpc/gen/trainyard/v1/ChannelFrame.ts";
import type { DesiredTask } from "../../src/rpc/gen/trainyard/v1/DesiredTask.ts";
import type { Hello__Output } from "../../src/rpc/gen/trainyard/v1/Hello.ts";
import type { ObservedTask__Output } from "../../src/rpc/gen/trainyard/v1/ObservedTask.ts";
import type { OpenChannel } from "../../src/rpc/gen/trainyard/v1/OpenChannel.ts";
import type { SchedulerMessage } from "../../src/rpc/gen/trainyard/v1/SchedulerMessage.ts";
import { readText, waitFor } from "./agent-fixture.ts";

type AgentStream = ServerDuplexStream<AgentMessage__Output, SchedulerMessage>;
type ChannelStream = ServerDuplexStream<ChannelFrame__Output, ChannelFrame>;

interface Node {
  stream: AgentStream | null;
  hello: Hello__Output | null;
  generation: number;
  tasks: readonly ObservedTask__Output[];
  wanted: readonly DesiredTask[];
}

export class FakeScheduler {
  readonly #server = new Server();
  readonly #nodes = new Map<string, Node>();
  readonly #channels = new Map<string, TestChannel>();
  readonly batches: MetricBatch[] = [];
  #generation = 0;
  #client: AgentServiceClient | null = null;
  leaseMs = 20_000;
  /** Heartbeats go unanswered, as behind a broken network. */
  isDeaf = false;

  async start(): Promise<void> {
    this.#server.addService(decodeService("AgentService"), {
      Connect: (stream: AgentStream) => this.#accept(stream),
      Channel: (stream: ChannelStream) => {
        const channel = new TestChannel(stream);
        void channel.id.then((id) => this.#channels.set(id, channel));
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const Client = makeGenericClientConstructor(decodeService("AgentService"), "AgentService");
    this.#client = new Client(
      `127.0.0.1:${port}`,
      credentials.createInsecure(),
    ) as unknown as AgentServiceClient;
  }

  stop(): void {
    this.#client?.close();
    this.#server.forceShutdown();
  }

  port(): SchedulerPort {
    const client = this.#client;
    if (client === null) throw new Error("start() first");
    return {
      connect: () => client.Connect(),
      channel: () => client.Channel(),
    };
  }

  node(name: string): Node {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const fresh: Node = { stream: null, hello: null, generation: 0, tasks: [], wanted: [] };
    this.#nodes.set(name, fresh);
    return fresh;
  }

  /** Sets the whole desired state of a node. */
  want(name: string, ...tasks: readonly DesiredTask[]): void {
    this.node(name).wanted = tasks;
    this.#send(this.node(name));
  }

  /** Waits until the node reports the task so. */
  reported(
    name: string,
    what: string,
    look: (task: ObservedTask__Output) => boolean,
    limitMs = 60_000,
  ): Promise<ObservedTask__Output> {
    return waitFor(`${name} to report ${what}`, () => this.node(name).tasks.find(look), limitMs);
  }

  /** Breaks the connection of a node. */
  cut(name: string): void {
    this.node(name).stream?.destroy(new Error("cut"));
    this.node(name).stream = null;
  }

  async channel(name: string, purpose: OpenChannel): Promise<TestChannel> {
    const channelId = randomUUID();
    this.node(name).stream?.write({ openChannel: { ...purpose, channelId } });
    return waitFor("the agent's channel", () => this.#channels.get(channelId));
  }

  #accept(stream: AgentStream): void {
    let node: Node | null = null;
    stream.on("error", () => undefined);
    stream.on("data", (message: AgentMessage__Output) => {
      if (message.hello) {
        node = this.node(message.hello.node);
        node.stream = stream;
        node.hello = message.hello;
        node.tasks = message.hello.report?.tasks ?? [];
        stream.write({ welcome: { leaseMs: this.leaseMs, heartbeatIntervalMs: 200 } });
        this.#send(node);
      } else if (message.heartbeat && !this.isDeaf) {
        stream.write({ heartbeatAck: { seq: message.heartbeat.seq } });
      } else if (message.report && node !== null) {
        node.generation = message.report.generation;
        node.tasks = message.report.tasks;
      }
    });
  }

  #send(node: Node): void {
    this.#generation += 1;
    node.stream?.write({ desired: { generation: this.#generation, tasks: [...node.wanted] } });
  }
}

/** The scheduler's end of one channel, which keeps everything that came. */
export class TestChannel {
  readonly frames: ChannelFrame__Output[] = [];
  readonly id: Promise<string>;
  readonly #stream: ChannelStream;
  isEnded = false;

  constructor(stream: ChannelStream) {
    this.#stream = stream;
    this.id = new Promise((resolve) => {
      stream.on("data", (frame: ChannelFrame__Output) => {
        if (frame.channelId !== "") resolve(frame.channelId);
        else this.frames.push(frame);
      });
    });
    stream.on("error", () => undefined);
    stream.on("end", () => {
      this.isEnded = true;
      stream.end();
    });
  }

  write(frame: ChannelFrame): void {
    this.#stream.write(frame);
  }

  hangUp(): void {
    this.#stream.end();
  }

  /** All bytes of one stream of a log. */
  log(stream: string): string {
    return this.frames
      .flatMap(({ log }) => (log?.stream === stream ? [log.data.toString()] : []))
      .join("");
  }

  /** What a terminal has printed, and its exit code once there is one. */
  terminal(): { readonly text: string; readonly exitCode: number | null } {
    const text = Buffer.concat(this.frames.flatMap(({ output }) => output ?? [])).toString();
    const last = this.frames.find((frame) => frame.payload === "exitCode");
    return { text: text.replaceAll("\r", ""), exitCode: last?.exitCode ?? null };
  }
}

export interface RunningAgent {
  readonly agent: Agent;
  readonly stateDir: string;
  /** Options with which checkpoint watches were started. */
  readonly watches: CheckpointWatchOptions[];
  readonly flushes: string[];
}

export class AgentWorld {
  readonly scheduler = new FakeScheduler();
  readonly #root = mkdtempSync(join(tmpdir(), "ty-agents-"));
  readonly #agents = new Set<Agent>();
  restored: ((destDir: string) => Promise<void>) | null = null;

  async start(name: string, python = "python3"): Promise<RunningAgent> {
    const stateDir = join(this.#root, name);
    const watches: CheckpointWatchOptions[] = [];
    const flushes: string[] = [];
    const options = {
      node: name,
      stateDir,
      address: "127.0.0.1",
      python,
      labels: {},
      version: "test",
      virtualGpus: 4,
      diskLimits: { minBytes: 0, enoughBytes: 0 },
      env: process.env,
      mlflowTrackingUri: () => "",
    };
    const agent = new Agent(options, this.#ports(watches, flushes));
    this.#agents.add(agent);
    await agent.start();
    await waitFor(`${name} to connect`, () => agent.isConnected);
    return { agent, stateDir, watches, flushes };
  }

  folder(running: RunningAgent, task: DesiredTask): TaskFolder {
    return new TaskFolder(running.stateDir, keyOf(task));
  }

  output(running: RunningAgent, task: DesiredTask): string {
    return readText(this.folder(running, task).file("stdout"));
  }

  async end(): Promise<void> {
    for (const agent of this.#agents) await agent.stop();
    this.scheduler.stop();
    for (const name of ["a", "b"]) {
      const stateDir = join(this.#root, name);
      for (const key of listTaskKeys(stateDir)) this.#killRest(new TaskFolder(stateDir, key));
    }
    rmSync(this.#root, { recursive: true, force: true });
  }

  #killRest(folder: TaskFolder): void {
    const supervisor = folder.supervisorState()?.supervisor.pid;
    if (folder.exit() === null && supervisor !== undefined) signal(supervisor, "SIGKILL");
    for (const pid of findMarked("TRAINYARD_TASK", folder.root)) signal(pid, "SIGKILL");
  }

  #ports(watches: CheckpointWatchOptions[], flushes: string[]): AgentPorts {
    const { batches } = this.scheduler;
    const silent = () => undefined;
    return {
      scheduler: this.scheduler.port(),
      bundles: { fetch: () => Promise.resolve() },
      checkpoints: {
        restore: (_resume, destDir) => this.restored?.(destDir) ?? Promise.resolve(),
      },
      checkpointWatch: {
        start: (watch) => {
          watches.push(watch);
          return {
            flush: () => {
              flushes.push(watch.jobId);
              return Promise.resolve();
            },
            stop: () => Promise.resolve(),
          };
        },
      },
      metrics: {
        position: (source) => Promise.resolve(storedPosition(batches, source)),
        store: (batch) => {
          batches.push(batch);
          return Promise.resolve({ position: batch.toPosition, error: "" });
        },
      },
      onCluster: silent,
      makeRoom: () => Promise.resolve(),
      log: {
        info: silent,
        warn: silent,
        error: (fields, message) => console.error(message, fields),
      },
      random: () => 0,
      newId: randomUUID,
    };
  }
}

export function keyOf(task: DesiredTask): TaskKey {
  return { jobId: jobId(task.jobId ?? ""), attempt: task.attempt ?? 0, rank: task.rank ?? 0 };
}

function storedPosition(batches: readonly MetricBatch[], source: string): number {
  return batches.findLast((batch) => batch.source === source)?.toPosition ?? 0;
}

/** A task for the wire; `exec` argv, or a torchrun script with two processes. */
export function wireTask(
  command:
    | { readonly argv: readonly string[] }
    | { readonly script: string; readonly procs: number },
  change: Partial<DesiredTask> = {},
): DesiredTask {
  const nodeNames = change.nodeNames ?? ["a"];
  const base = {
    name: "train",
    nodes: nodeNames.length,
    perNode: { gpus: 1 },
    env: { OMP_NUM_THREADS: "1" },
    grace: { seconds: 60 },
  };
  const spec =
    "argv" in command
      ? { ...base, exec: { argv: [...command.argv] } }
      : { ...base, torchrun: { script: command.script, procsPerNode: command.procs } };
  return {
    jobId: "job-1",
    attempt: 1,
    rank: 0,
    runId: "job-1",
    gpus: [0],
    nodeNames,
    spec,
    ...change,
  };
}
