// What an agent holds: its tasks by phase, and the fold that moves them. The real agent and the
// simulator drive this same fold. Decides nothing (see reconcile.ts) and touches no process.

import { unreachable } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import type { StoredPart } from "../../scheduler/core/commands.ts";
import type { DesiredTask, StopOrder } from "../../scheduler/core/desired.ts";
import type { Rendezvous, TaskExit } from "../../scheduler/core/job.ts";
import type { AgentAction, KillWhy } from "./actions.ts";
import { isCommitted, isSameTask, type TaskKey } from "./task-key.ts";

/** Times are by the agent's boot clock: it only grows, also while the host sleeps. */
export type LocalPhase =
  | { readonly kind: "preparing" }
  /** Code, setup and restored checkpoint are in place; what lacks is where rank 0 listens. */
  | { readonly kind: "waiting_rendezvous" }
  /** Rank 0 only: looking for a free port. */
  | { readonly kind: "choosing_rendezvous" }
  /** The supervisor has its order; the process is not known to have started. */
  | { readonly kind: "launching" }
  | { readonly kind: "running" }
  /** Told to stop; the supervisor carries it out by itself. */
  | {
      readonly kind: "stopping";
      readonly order: StopOrder;
      /** Step of a checkpoint that was taken after the order and is stored: when it is committed,
       * there is nothing more to wait for. */
      readonly checkpointStep: number | null;
    }
  /** Being killed; over when `exited` comes. */
  | { readonly kind: "killing"; readonly why: KillWhy; readonly hasStarted: boolean }
  /** No process any more; its complete checkpoints are still on their way to the store. */
  | {
      readonly kind: "flushing";
      readonly exit: TaskExit;
      readonly untilMs: number;
      readonly hasBegun: boolean;
    }
  | { readonly kind: "ended"; readonly exit: TaskExit };

export interface LocalTask extends TaskKey {
  /** Gang size. */
  readonly nodes: number;
  /** How long uploads may go on after an end that nobody asked for. */
  readonly graceMs: number;
  /** Rank 0: what it chose. Others: what they were launched with. */
  readonly rendezvous: Rendezvous | null;
  /** Stored and not known to be committed, oldest first. */
  readonly parts: readonly StoredPart[];
  readonly phase: LocalPhase;
}

export interface LocalState {
  /** Oldest first. */
  readonly tasks: readonly LocalTask[];
  /** Newest attempt that was ever taken up here, by job: the same or an older one never starts anew. */
  readonly attemptsSeen: ReadonlyMap<JobId, number>;
}

export const EMPTY_LOCAL: LocalState = { tasks: [], attemptsSeen: new Map() };

/** Of `attemptsSeen`; the oldest entries go first. Attempts that old are fenced by the generation. */
export const ATTEMPTS_SEEN_MAX = 10_000;
/** Parts that one task reports; a scheduler that commits none for so long is not helped by more. */
export const PARTS_MAX = 64;

export type LocalEvent =
  /** The shell is about to carry out this action. Folded first, so that it is never given twice. */
  | { readonly kind: "began"; readonly action: AgentAction }
  | { readonly kind: "prepared"; readonly key: TaskKey }
  | { readonly kind: "rendezvous_chosen"; readonly key: TaskKey; readonly rendezvous: Rendezvous }
  | { readonly kind: "launched"; readonly key: TaskKey }
  /** The process, or the preparation, is over. `exit` as seen, before what was asked is considered. */
  | {
      readonly kind: "exited";
      readonly key: TaskKey;
      readonly exit: TaskExit;
      readonly nowMs: number;
    }
  | {
      readonly kind: "part_stored";
      readonly key: TaskKey;
      readonly part: StoredPart;
      /** The script had finished writing it after it was told to stop. */
      readonly isAfterStop: boolean;
    }
  | { readonly kind: "uploads_done"; readonly key: TaskKey }
  /** Found in the state folder at the start. */
  | { readonly kind: "adopted"; readonly task: LocalTask }
  /** A task of this attempt was here, in an earlier life of the agent. */
  | { readonly kind: "attempt_seen"; readonly jobId: JobId; readonly attempt: number }
  /** A new desired state is in force: parts that it says are committed need no more reports. */
  | { readonly kind: "desired"; readonly tasks: readonly DesiredTask[] };

export function applyLocal(state: LocalState, event: LocalEvent): LocalState {
  switch (event.kind) {
    case "began":
      return applyBegan(state, event.action);
    case "prepared":
      return setPhase(state, event.key, ["preparing"], { kind: "waiting_rendezvous" });
    case "rendezvous_chosen":
      return update(state, event.key, (task) =>
        task.phase.kind === "choosing_rendezvous"
          ? { ...task, rendezvous: event.rendezvous, phase: { kind: "waiting_rendezvous" } }
          : task,
      );
    case "launched":
      return setPhase(state, event.key, ["launching"], { kind: "running" });
    case "exited":
      return update(state, event.key, (task) => ({
        ...task,
        phase: phaseAfterExit(task, event.exit, event.nowMs),
      }));
    case "part_stored":
      return update(state, event.key, (task) => ({
        ...task,
        parts: addPart(task, event.part),
        phase: event.isAfterStop ? withCheckpoint(task.phase, event.part.step) : task.phase,
      }));
    case "uploads_done":
      return update(state, event.key, endUploads);
    case "adopted":
      return addTask(state, event.task);
    case "attempt_seen":
      return { ...state, attemptsSeen: withAttempt(state.attemptsSeen, event) };
    case "desired":
      return { ...state, tasks: state.tasks.map((task) => dropCommitted(task, event.tasks)) };
    default:
      return unreachable(event);
  }
}

function applyBegan(state: LocalState, action: AgentAction): LocalState {
  switch (action.kind) {
    case "prepare":
      return addTask(state, newTask(action.task));
    case "choose_rendezvous":
      return setPhase(state, action.key, ["waiting_rendezvous"], { kind: "choosing_rendezvous" });
    case "launch":
      return update(state, action.task, (task) => ({
        ...task,
        rendezvous: action.rendezvous,
        phase: { kind: "launching" },
      }));
    case "stop":
      return update(state, action.key, (task) => ({
        ...task,
        phase: {
          kind: "stopping",
          order: action.order,
          checkpointStep: task.phase.kind === "stopping" ? task.phase.checkpointStep : null,
        },
      }));
    case "kill":
      return update(state, action.key, (task) => ({
        ...task,
        phase: { kind: "killing", why: action.why, hasStarted: hasStarted(task.phase) },
      }));
    case "flush_uploads":
      return update(state, action.key, (task) =>
        task.phase.kind === "flushing"
          ? { ...task, phase: { ...task.phase, hasBegun: true } }
          : task,
      );
    case "abandon_uploads":
      return update(state, action.key, endUploads);
    case "forget":
      return { ...state, tasks: state.tasks.filter((task) => !isSameTask(task, action.key)) };
    default:
      return unreachable(action);
  }
}

function hasStarted(phase: LocalPhase): boolean {
  return phase.kind === "running" || phase.kind === "stopping";
}

function newTask(task: DesiredTask): LocalTask {
  return {
    jobId: task.jobId,
    attempt: task.attempt,
    rank: task.rank,
    nodes: task.nodeNames.length,
    graceMs: task.spec.graceMs,
    rendezvous: null,
    parts: [],
    phase: { kind: "preparing" },
  };
}

function addTask(state: LocalState, task: LocalTask): LocalState {
  return {
    tasks: [...state.tasks, task],
    attemptsSeen: withAttempt(state.attemptsSeen, task),
  };
}

function withAttempt(
  attemptsSeen: ReadonlyMap<JobId, number>,
  { jobId, attempt }: { readonly jobId: JobId; readonly attempt: number },
): ReadonlyMap<JobId, number> {
  const seen = new Map(attemptsSeen);
  const newest = Math.max(attempt, seen.get(jobId) ?? 0);
  // Taken out and put back, so that insertion order is order of use.
  seen.delete(jobId);
  seen.set(jobId, newest);
  for (const oldest of seen.keys()) {
    if (seen.size <= ATTEMPTS_SEEN_MAX) break;
    seen.delete(oldest);
  }
  return seen;
}

/** What was asked of a task decides how its end is called, not its exit code: see `TaskEndReason`. */
function phaseAfterExit(task: LocalTask, exit: TaskExit, nowMs: number): LocalPhase {
  const phase = task.phase;
  if (phase.kind === "ended" || phase.kind === "flushing") return phase;
  const named = nameExit(phase, exit);
  const untilMs = uploadsUntil(task, named, nowMs);
  if (untilMs <= nowMs) return { kind: "ended", exit: named };
  return { kind: "flushing", exit: named, untilMs, hasBegun: false };
}

function nameExit(phase: LocalPhase, exit: TaskExit): TaskExit {
  if (phase.kind === "stopping" && endedByItself(exit)) return { ...exit, reason: "stopped" };
  if (phase.kind !== "killing") return exit;
  switch (phase.why) {
    case "lease_expired":
      return { ...exit, reason: "lease_expired" };
    case "stopped_early":
      return { ...exit, reason: "stopped" };
    case "not_desired":
    case "superseded":
    case "deadline":
      return exit.reason === "lost" ? exit : { ...exit, reason: "killed" };
    default:
      return unreachable(phase.why);
  }
}

/**
 * Until when the end may wait for uploads; `nowMs` = not at all. A member of a gang that failed is
 * reported at once, because its peers hang until they are stopped.
 */
function uploadsUntil(task: LocalTask, exit: TaskExit, nowMs: number): number {
  if (task.phase.kind === "stopping") {
    return task.phase.order.wantsCheckpoint ? task.phase.order.deadlineMs : nowMs;
  }
  if (task.phase.kind !== "running" && task.phase.kind !== "launching") return nowMs;
  if (!endedByItself(exit)) return nowMs;
  const isFailure = exit.reason !== "exited" || exit.code !== 0;
  return isFailure && task.nodes > 1 ? nowMs : nowMs + task.graceMs;
}

/** Also of what a full disk made it do: what it had saved before is worth storing. */
function endedByItself({ reason }: TaskExit): boolean {
  return reason === "exited" || reason === "signalled" || reason === "disk_full";
}

function endUploads(task: LocalTask): LocalTask {
  if (task.phase.kind !== "flushing") return task;
  return { ...task, phase: { kind: "ended", exit: task.phase.exit } };
}

function withCheckpoint(phase: LocalPhase, step: number): LocalPhase {
  return phase.kind === "stopping" ? { ...phase, checkpointStep: step } : phase;
}

function addPart(task: LocalTask, part: StoredPart): readonly StoredPart[] {
  const others = task.parts.filter((known) => known.step !== part.step);
  return [...others, part].slice(-PARTS_MAX);
}

function dropCommitted(task: LocalTask, desired: readonly DesiredTask[]): LocalTask {
  const match = desired.find((candidate) => isSameTask(candidate, task));
  if (match === undefined || task.parts.length === 0) return task;
  const parts = task.parts.filter(
    (part) => !isCommitted(task, part.step, match.committedCheckpoints),
  );
  return parts.length === task.parts.length ? task : { ...task, parts };
}

function setPhase(
  state: LocalState,
  key: TaskKey,
  from: readonly LocalPhase["kind"][],
  phase: LocalPhase,
): LocalState {
  // News that comes after the task was killed or stopped in the meantime is stale, not wrong.
  return update(state, key, (task) => (from.includes(task.phase.kind) ? { ...task, phase } : task));
}

function update(
  state: LocalState,
  key: TaskKey,
  change: (task: LocalTask) => LocalTask,
): LocalState {
  return {
    ...state,
    tasks: state.tasks.map((task) => (isSameTask(task, key) ? change(task) : task)),
  };
}
