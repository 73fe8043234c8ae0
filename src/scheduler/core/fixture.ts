// A small world for tests: queues, nodes and jobs in a line each, driven through the real cycle.

import { must } from "../../base/assert.ts";
import type { Refusal } from "../../base/errors.ts";
import {
  agentInstanceId,
  digest,
  type JobId,
  nodeId,
  queuePath,
  requestId,
} from "../../base/ids.ts";
import { createState } from "./apply.ts";
import type { Accepted, Command, Envelope, ObservedTask } from "./commands.ts";
import { planStep, step } from "./cycle.ts";
import { desiredFor } from "./desired.ts";
import type { LoggedEvent } from "./events.ts";
import { type Job, type JobSpec, SPEC_DEFAULTS, type TaskExit } from "./job.ts";
import type { Plan } from "./plan-types.ts";
import { completeQueueSpec } from "./queue-spec.ts";
import { DEFAULT_POLICY, type NodeSpec, type Policy, type QueueSpec } from "./state.ts";

export const ALICE = { tenant: "default", user: "alice" };
export const EXITED_WELL: TaskExit = { reason: "exited", code: 0, message: "" };
export const STOPPED: TaskExit = { reason: "stopped", code: 0, message: "" };
export const CRASHED: TaskExit = { reason: "exited", code: 7, message: "boom" };

export function jobSpec(change: Partial<JobSpec> & { readonly gpus?: number } = {}): JobSpec {
  const { gpus = 1, ...rest } = change;
  return {
    name: "train",
    queue: queuePath("default"),
    priorityClass: "normal",
    nodes: rest.nodes ?? 1,
    nodesMin: rest.nodes ?? 1,
    perNode: { gpus, cpuMilli: 0, memoryMib: 0 },
    command: { kind: "exec", argv: ["true"] },
    env: {},
    bundle: null,
    setup: "",
    timeLimitMs: null,
    graceMs: 120_000,
    stopSignal: "SIGTERM",
    restartsMax: 0,
    checkpoint: { keep: 3, patterns: [] },
    ...SPEC_DEFAULTS,
    ...rest,
  };
}

export function queueSpec(path: string, change: Partial<Omit<QueueSpec, "path">> = {}): QueueSpec {
  return completeQueueSpec({ path: queuePath(path), ...change });
}

export function nodeSpec(name: string, gpus: number): NodeSpec {
  return {
    id: nodeId(name),
    address: "127.0.0.1",
    gpus: Array.from({ length: gpus }, (_, index) => ({
      index,
      uuid: `${name}-${index}`,
      type: "virtual",
      memoryMib: 0,
      island: "",
    })),
    cpuMilli: 64_000,
    memoryMib: 256_000,
    labels: {},
    agentVersion: "test",
  };
}

/** A cluster whose agents do at once what they are told, and only when `World.agents` is called. */
export class World {
  readonly state = createState();
  readonly log: LoggedEvent[] = [];
  nowMs = 1_000_000;

  constructor(queues: readonly QueueSpec[] = [queueSpec("default")], policy: Partial<Policy> = {}) {
    this.state.policy = { ...DEFAULT_POLICY, ...policy };
    this.must({ kind: "queue.apply", queues, prune: false });
  }

  get policy(): Policy {
    return this.state.policy;
  }

  send(command: Command, request: Envelope["request"] = null): Accepted | Refusal {
    const { events, reply } = step(this.state, { command, actor: ALICE, request }, this.nowMs);
    this.log.push(...events);
    return reply;
  }

  must(command: Command): Accepted {
    const reply = this.send(command);
    if (reply.kind === "refusal") throw new Error(`${command.kind}: ${reply.message}`);
    return reply;
  }

  nodes(count: number, gpus: number): this {
    for (let n = 1; n <= count; n += 1) this.register(nodeSpec(`node-${n}`, gpus));
    return this;
  }

  register(spec: NodeSpec, instance = `${spec.id}-1`, tasks: readonly ObservedTask[] = []): void {
    const id = agentInstanceId(instance);
    const report = { nodeId: spec.id, instance: id, generation: 0, tasks, conditions: [] };
    this.must({ kind: "node.register", spec, instance: id, report });
  }

  submit(change: Parameters<typeof jobSpec>[0] = {}): JobId {
    return must(this.must({ kind: "job.submit", spec: jobSpec(change) }).jobId, "job id");
  }

  submitAs(id: string, change: Parameters<typeof jobSpec>[0] = {}): Accepted | Refusal {
    const request = { id: requestId(id), fingerprint: JSON.stringify(change) };
    return this.send({ kind: "job.submit", spec: jobSpec(change) }, request);
  }

  plan(): Plan {
    const { events, plan } = planStep(this.state, this.nowMs);
    this.log.push(...events);
    return plan;
  }

  job(id: JobId): Job {
    return must(this.state.jobs.get(id), id);
  }

  /** Phase of a job, in a word. */
  phase(id: JobId): string {
    return this.job(id).phase.kind;
  }

  /** One node reports all its tasks as `state`, or what `change` makes of each. */
  report(
    name: string,
    change: (task: ObservedTask) => ObservedTask | null = (task) => task,
    generation = this.state.seq,
  ): Accepted | Refusal {
    const id = nodeId(name);
    const tasks: ObservedTask[] = [];
    for (const { jobId, attempt, rank } of desiredFor(this.state, id)) {
      const state = { kind: "running" } as const;
      const rendezvous = rank === 0 ? { host: "127.0.0.1", port: 29_500 } : null;
      const task = change({ jobId, attempt, rank, state, rendezvous, parts: [] });
      if (task !== null) tasks.push(task);
    }
    const { instance, conditions } = must(this.state.nodes.get(id), name);
    const report = { nodeId: id, instance, generation, tasks, conditions };
    return this.send({ kind: "node.report", report });
  }

  /** Every node reports that all its tasks run. */
  run(): this {
    for (const id of this.state.nodes.keys()) this.report(id);
    return this;
  }

  /** Every node of the job reports that its task has ended so. */
  end(id: JobId, exit: TaskExit = EXITED_WELL): this {
    for (const node of this.state.nodes.keys()) {
      this.report(node, (task) =>
        task.jobId === id ? { ...task, state: { kind: "ended", exit } } : task,
      );
    }
    return this;
  }

  /** Every rank of the job stores its part of `step`, and the manifest is committed. */
  checkpoint(id: JobId, step: number): this {
    for (const node of this.state.nodes.keys()) {
      this.report(node, (task) => {
        if (task.jobId !== id) return task;
        const hash = digest(`part-${step}-${task.rank}`);
        const sizes = { sizeBytes: 10, uploadedBytes: 10 };
        return { ...task, parts: [{ step, takenAtMs: this.nowMs, digest: hash, ...sizes }] };
      });
    }
    const whole = must(
      this.job(id).checkpoints.find((one) => one.step === step),
      "step",
    );
    const manifestDigest = digest(`manifest-${step}`);
    this.must({ kind: "checkpoint.commit", jobId: id, checkpointId: whole.id, manifestDigest });
    return this;
  }

  kinds(): readonly string[] {
    return this.log.map((logged) => logged.event.kind);
  }
}
