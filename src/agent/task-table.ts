// The agent's tasks: holds the local state, asks the core what to do, and has the runners do it. The
// one place where local state changes; everything that happens comes in as an event.

import { must, unreachable } from "../base/assert.ts";
import type { ObservedTask } from "../scheduler/core/commands.ts";
import type { AgentAction } from "./core/actions.ts";
import { generationOf, type Link } from "./core/link.ts";
import { applyLocal, EMPTY_LOCAL, type LocalEvent, type LocalState } from "./core/local.ts";
import { hasProcess, nextWakeMs, reconcile } from "./core/reconcile.ts";
import { newsOf, observe } from "./core/report.ts";
import { isSameTask, type TaskKey, taskName } from "./core/task-key.ts";
import { type FoundTask, findTasks } from "./adopt.ts";
import type { AgentLog } from "./ports.ts";
import { bootMs } from "./proc.ts";
import { TaskFolder } from "./task-folder.ts";
import { type RunnerContext, TaskRunner } from "./task-runner.ts";

export interface TaskTableOptions {
  /** Without `emit`, which is this table's. */
  readonly context: Omit<RunnerContext, "emit">;
  readonly link: () => Link;
  readonly log: AgentLog;
  /**
   * Called when what is observed has changed, at most once a turn of the event loop; a little later
   * when there is nothing in it that the scheduler waits for.
   */
  readonly onChange: () => void;
}

/** A reconcile that gives actions after so many rounds in one turn contradicts itself. */
const ROUNDS_MAX = 100;
/** How long a change waits that is no news by `newsOf`: a start takes about as long. */
const NO_NEWS_MS = 50;
/** Timers beyond this overflow; waking early costs nothing. */
const WAKE_MS_MAX = 60_000;

export class TaskTable {
  readonly #options: TaskTableOptions;
  readonly #context: RunnerContext;
  readonly #runners = new Map<string, TaskRunner>();
  /** Of tasks that are forgotten, but whose metrics are not all in the tracker yet. */
  #retired: readonly TaskRunner[] = [];
  #local: LocalState = EMPTY_LOCAL;
  #reported = "";
  #newsReported = "";
  /** Set while a change that is no news waits. */
  #lateReport: NodeJS.Timeout | null = null;
  #isTurnDue = false;
  #wake: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(options: TaskTableOptions) {
    this.#options = options;
    this.#context = { ...options.context, emit: (event) => this.#happened(event) };
  }

  /** Takes up what an earlier agent left in the state folder. */
  async adopt(): Promise<void> {
    for (const found of await findTasks(this.#context.stateDir)) {
      if (found.record.isForgotten) this.#rememberEnded(found);
      else this.#adopt(found);
    }
  }

  /** Whatever the core goes by has changed: the link, the time, or a task. */
  turn(): void {
    if (this.#isTurnDue || this.#isStopped) return;
    this.#isTurnDue = true;
    queueMicrotask(() => this.#turn());
  }

  /** A new desired state is in the link. */
  desiredChanged(): void {
    const tasks = this.#options.link().desired?.tasks ?? [];
    this.#local = applyLocal(this.#local, { kind: "desired", tasks });
    for (const task of tasks) this.#runners.get(taskName(task))?.desiredChanged(task);
    this.turn();
  }

  observed(): readonly ObservedTask[] {
    return observe(this.#local, this.#options.link().desired);
  }

  get state(): LocalState {
    return this.#local;
  }

  runner(key: TaskKey): TaskRunner | null {
    return this.#runners.get(taskName(key)) ?? null;
  }

  /** Whether a process of the task may be there. */
  isAlive(key: TaskKey): boolean {
    return this.#local.tasks.some((task) => isSameTask(task, key) && hasProcess(task));
  }

  /** Kills every task and waits until each is over. */
  async killAll(): Promise<void> {
    const alive = this.#local.tasks.filter(hasProcess).map((task) => this.#runnerOf(task));
    await Promise.all(alive.map((runner) => runner.kill("not_desired")));
    while (this.#local.tasks.some(hasProcess)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Lets go of every task; they go on under their supervisors. */
  async release(): Promise<void> {
    this.#isStopped = true;
    if (this.#wake !== null) clearTimeout(this.#wake);
    if (this.#lateReport !== null) clearTimeout(this.#lateReport);
    const runners = [...this.#runners.values(), ...this.#retired];
    await Promise.all(runners.map((runner) => runner.release()));
  }

  #adopt(found: FoundTask): void {
    const runner = new TaskRunner(found.folder, found.record, this.#context);
    this.#runners.set(taskName(found.key), runner);
    this.#local = applyLocal(this.#local, { kind: "adopted", task: found.local });
    const { now } = found;
    this.#options.log.info({ ...found.key, now: now.kind }, "task taken up again");
    if (now.kind === "runs") runner.attend(now.state);
    else runner.conclude(now.exit);
  }

  /** Its end is recorded, but its metrics may not all have been shipped. */
  #rememberEnded(found: FoundTask): void {
    const { jobId, attempt } = found.key;
    this.#local = applyLocal(this.#local, { kind: "attempt_seen", jobId, attempt });
    const runner = new TaskRunner(found.folder, found.record, this.#context);
    runner.shipRest();
    this.#retire(runner);
  }

  #happened(event: LocalEvent): void {
    this.#local = applyLocal(this.#local, event);
    if (event.kind === "exited") {
      this.#options.log.info({ ...event.key, exit: event.exit }, "task over");
    }
    this.turn();
  }

  #turn(): void {
    this.#isTurnDue = false;
    if (this.#isStopped) return;
    this.#act();
    this.#setWake();
    const tasks = this.observed();
    if (JSON.stringify([generationOf(this.#options.link()), tasks]) === this.#reported) return;
    if (JSON.stringify(newsOf(tasks)) !== this.#newsReported) this.#report();
    else this.#lateReport ??= setTimeout(() => this.#report(), NO_NEWS_MS);
  }

  #report(): void {
    if (this.#lateReport !== null) clearTimeout(this.#lateReport);
    this.#lateReport = null;
    const tasks = this.observed();
    this.#reported = JSON.stringify([generationOf(this.#options.link()), tasks]);
    this.#newsReported = JSON.stringify(newsOf(tasks));
    this.#options.onChange();
  }

  #act(): void {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const { desired, lease } = this.#options.link();
      const actions = reconcile(this.#local, desired, lease, bootMs());
      if (actions.length === 0) return;
      for (const action of actions) {
        this.#local = applyLocal(this.#local, { kind: "began", action });
        this.#perform(action);
      }
    }
    this.#options.log.error({ tasks: this.#local.tasks.length }, "reconcile does not settle");
  }

  #perform(action: AgentAction): void {
    const key = "task" in action ? action.task : action.key;
    const { jobId, attempt, rank } = key;
    this.#options.log.info({ jobId, attempt, rank, ...detailOf(action) }, action.kind);
    this.#carryOut(action).catch((error: unknown) => {
      this.#options.log.error({ jobId, attempt, rank, error: String(error) }, action.kind);
    });
  }

  #carryOut(action: AgentAction): Promise<void> {
    switch (action.kind) {
      case "prepare":
        return this.#newRunner(action.task).prepare();
      case "choose_rendezvous":
        return this.#runnerOf(action.key).chooseRendezvous();
      case "launch":
        return this.#runnerOf(action.task).launch(action.rendezvous);
      case "stop":
        return this.#runnerOf(action.key).stop(action.order, action.signal);
      case "kill":
        return this.#runnerOf(action.key).kill(action.why);
      case "flush_uploads":
        return this.#runnerOf(action.key).flush(action.untilMs);
      case "abandon_uploads":
        return this.#runnerOf(action.key).abandonUploads();
      case "forget":
        return this.#forget(action.key);
      default:
        return unreachable(action);
    }
  }

  #newRunner(task: Extract<AgentAction, { kind: "prepare" }>["task"]): TaskRunner {
    const folder = new TaskFolder(this.#context.stateDir, task);
    const record = { task, rendezvous: null, exit: null, isForgotten: false, isShipped: false };
    const runner = new TaskRunner(folder, record, this.#context);
    this.#runners.set(taskName(task), runner);
    return runner;
  }

  #forget(key: TaskKey): Promise<void> {
    const runner = this.#runnerOf(key);
    this.#runners.delete(taskName(key));
    this.#retire(runner);
    return runner.forget();
  }

  #retire(runner: TaskRunner): void {
    this.#retired = [...this.#retired, runner].filter((other) => other.isShipping);
  }

  #runnerOf(key: TaskKey): TaskRunner {
    return must(this.#runners.get(taskName(key)), `runner of ${taskName(key)}`);
  }

  #setWake(): void {
    if (this.#wake !== null) clearTimeout(this.#wake);
    const atMs = nextWakeMs(this.#local, this.#options.link().lease);
    if (atMs === null) return;
    const inMs = Math.min(WAKE_MS_MAX, Math.max(1, atMs - bootMs()));
    this.#wake = setTimeout(() => this.turn(), inMs);
  }
}

function detailOf(action: AgentAction): Readonly<Record<string, unknown>> {
  if (action.kind === "kill") return { why: action.why };
  return action.kind === "stop" ? { reason: action.order.reason } : {};
}
