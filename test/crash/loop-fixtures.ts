// For tests: a writer loop on a real store in a temp folder, with a clock and timers turned by hand.

import { createHash } from "node:crypto";
import { createLogger } from "../../src/obs/log.ts";
import { agentInstanceId, jobId, nodeId, requestId } from "../../src/base/ids.ts";
import type { Accepted, Command, Envelope } from "../../src/scheduler/core/commands.ts";
import type { LoggedEvent } from "../../src/scheduler/core/events.ts";
import { ALICE, jobSpec, nodeSpec, queueSpec } from "../../src/scheduler/core/fixture.ts";
import { encodeState } from "../../src/scheduler/core/snapshot.ts";
import type { ClusterState } from "../../src/scheduler/core/state.ts";
import { DEFAULT_LOOP_LIMITS, type LoopLimits, SchedulerLoop } from "../../src/scheduler/loop.ts";
import type { BatchReport, PlanReport } from "../../src/scheduler/loop-observer.ts";
import {
  type LoopStore,
  openSchedulerStore,
  type SchedulerStore,
} from "../../src/scheduler/loop-store.ts";
import { REAL_TIMERS, type TimerPort } from "../../src/scheduler/loop-timers.ts";

/** A clock and timers that move only when `pass` is called. */
export class Hands implements TimerPort {
  wallMs = 1_700_000_000_000;
  monotonicTimeMs = 1_000;
  readonly #timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();

  readonly clock = { nowMs: () => this.wallMs, monotonicMs: () => this.monotonicTimeMs };

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.monotonicTimeMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicTimeMs += ms;
    const due = Array.from(this.#timers).filter((timer) => timer.dueMs <= this.monotonicTimeMs);
    for (const timer of due) {
      this.#timers.delete(timer);
      timer.run();
    }
  }

  get waiting(): number {
    return this.#timers.size;
  }
}

export interface LoopWorld {
  readonly loop: SchedulerLoop;
  readonly store: SchedulerStore;
  readonly hands: Hands;
  readonly batches: BatchReport[];
  readonly plans: PlanReport[];
  readonly published: LoggedEvent[];
  readonly fatal: unknown[];
  readonly lines: string[];
}

export interface LoopWorldOptions {
  readonly folder: string;
  readonly limits?: Partial<LoopLimits>;
  readonly hands?: Hands;
  /** Puts something between the loop and the store. */
  readonly wrap?: (store: LoopStore) => LoopStore;
}

export async function openLoop(options: LoopWorldOptions): Promise<LoopWorld> {
  const hands = options.hands ?? new Hands();
  const batches: BatchReport[] = [];
  const plans: PlanReport[] = [];
  const fatal: unknown[] = [];
  const published: LoggedEvent[] = [];
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const store = await openSchedulerStore({
    folder: options.folder,
    onWarning: (message) => void lines.push(message),
  });
  const loop = new SchedulerLoop({
    store: options.wrap?.(store) ?? store,
    policy: null,
    clock: hands.clock,
    timers: hands,
    observer: {
      batchDone: (report) => void batches.push(report),
      planDone: (report) => void plans.push(report),
    },
    logger: createLogger({ level: "info", name: "test", style: "json", stream }),
    onFatal: (error) => void fatal.push(error),
    limits: { ...DEFAULT_LOOP_LIMITS, ...options.limits },
  });
  loop.onCommitted((events) => void published.push(...events));
  return { loop, store, hands, batches, plans, published, fatal, lines };
}

/** Opens and starts a loop; stops it and closes its store when `body` ends. */
export async function withLoop<T>(
  options: LoopWorldOptions,
  body: (world: LoopWorld) => Promise<T>,
): Promise<T> {
  const world = await openLoop(options);
  try {
    await world.loop.start();
    return await body(world);
  } finally {
    await world.loop.stop();
    await world.store.close();
  }
}

export function envelope(command: Command, id: string | null = null): Envelope {
  const request = id === null ? null : { id: requestId(id), fingerprint: JSON.stringify(command) };
  return { command, actor: ALICE, request };
}

export const submit = (name: string, gpus = 1): Command => ({
  kind: "job.submit",
  spec: jobSpec({ name, gpus }),
});

export async function accept(loop: SchedulerLoop, command: Command): Promise<Accepted> {
  const reply = await loop.execute(envelope(command));
  if (reply.kind === "refusal") throw new Error(`${command.kind}: ${reply.message}`);
  return reply;
}

/** A queue `default` and `count` nodes of 8 GPUs. */
export async function furnish(loop: SchedulerLoop, count: number): Promise<void> {
  await accept(loop, { kind: "queue.apply", queues: [queueSpec("default")], prune: false });
  for (let n = 1; n <= count; n += 1) {
    const spec = nodeSpec(`node-${n}`, 8);
    const instance = agentInstanceId(`node-${n}-1`);
    const report = {
      nodeId: nodeId(`node-${n}`),
      instance,
      generation: 0,
      tasks: [],
      conditions: [],
    };
    await accept(loop, { kind: "node.register", spec, instance, report });
  }
}

/** Node 1's agent reports the one task of `job` as running. */
export function running(job: string, generation: number): Command {
  const task = {
    jobId: jobId(job),
    attempt: 1,
    rank: 0,
    state: { kind: "running" },
    rendezvous: null,
    parts: [],
  } as const;
  const node = nodeId("node-1");
  const instance = agentInstanceId("node-1-1");
  return {
    kind: "node.report",
    report: { nodeId: node, instance, generation, tasks: [task], conditions: [] },
  };
}

export function digestOf(state: ClusterState): string {
  const hash = createHash("sha256");
  for (const row of encodeState(state)) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest("hex");
}

/** Waits until `isTrue`, one turn of the event loop at a time; fails after 10 s. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`waited 10 s for: ${what}`);
    await new Promise((resolve) => REAL_TIMERS.after(1, () => resolve(null)));
  }
}
