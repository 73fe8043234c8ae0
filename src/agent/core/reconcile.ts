// What to do next, from what is held, what is desired and the lease. Level-triggered: called after
// every change and whenever `nextWakeMs` is due; the same input gives the same actions.

import { unreachable } from "../../base/assert.ts";
import type { DesiredTask, StopOrder } from "../../scheduler/core/desired.ts";
import type { AgentAction, Desired } from "./actions.ts";
import { isExpired, type LeaseView } from "./lease.ts";
import type { LocalPhase, LocalState, LocalTask } from "./local.ts";
import { isCommitted, isSameTask, type TaskKey } from "./task-key.ts";

/**
 * From the deadline on the supervisor ends a task by itself: SIGTERM to the launcher, then SIGKILL.
 * This long after it the agent kills what is still there.
 */
export const STOP_ESCALATION_MS = 6_000;

/** What a script gets to end by itself once a checkpoint from after the order to stop is committed. */
const LEAVE_MS = 10_000;

/** A deadline is counted down anew in each message: nearer by less than this is the same deadline. */
const DEADLINE_JITTER_MS = 1_000;

/** `desired` is null until the first one since the agent's start: what was adopted then goes on. */
export function reconcile(
  local: LocalState,
  desired: Desired | null,
  lease: LeaseView,
  nowMs: number,
): readonly AgentAction[] {
  if (isExpired(lease, nowMs)) return local.tasks.flatMap((task) => expire(task, nowMs));
  const held = local.tasks.flatMap((task) => advance(task, desired, nowMs));
  return [...held, ...starts(local, desired)];
}

/** When `reconcile` may give something new although nothing happened; null = never. */
export function nextWakeMs(local: LocalState, lease: LeaseView): number | null {
  const times = local.tasks.flatMap((task) => {
    if (task.phase.kind === "stopping") return [task.phase.order.deadlineMs + STOP_ESCALATION_MS];
    return task.phase.kind === "flushing" ? [task.phase.untilMs] : [];
  });
  const isAlive = local.tasks.some(hasProcess);
  const all = isAlive ? [...times, lease.untilMs] : times;
  return all.length === 0 ? null : Math.min(...all);
}

/** Whether something of the task may still run on this machine. */
export function hasProcess(task: LocalTask): boolean {
  return task.phase.kind !== "flushing" && task.phase.kind !== "ended";
}

/**
 * A lease is the right to run. Uploads need none: they take nothing from whoever runs the job next,
 * and until then what they bring still counts.
 */
function expire(task: LocalTask, nowMs: number): readonly AgentAction[] {
  if (!hasProcess(task)) return advanceAlone(task, nowMs);
  if (task.phase.kind === "killing") return [];
  return [{ kind: "kill", key: keyOf(task), why: "lease_expired" }];
}

function advance(task: LocalTask, desired: Desired | null, nowMs: number): readonly AgentAction[] {
  const key = keyOf(task);
  const wanted = desired?.tasks.find((candidate) => isSameTask(candidate, task));
  if (wanted === undefined) {
    if (desired !== null) return dismiss(task, desired);
    return advanceAlone(task, nowMs);
  }
  switch (task.phase.kind) {
    case "preparing":
    case "choosing_rendezvous":
      return wanted.stop === null ? [] : [{ kind: "kill", key, why: "stopped_early" }];
    case "waiting_rendezvous":
      return wanted.stop === null
        ? towardsLaunch(task, wanted)
        : [{ kind: "kill", key, why: "stopped_early" }];
    case "launching":
    case "running":
      return wanted.stop === null ? [] : [stopAction(wanted, wanted.stop)];
    case "stopping":
      return (
        stopAgain(task.phase.order, wanted) ??
        endAfterCheckpoint(task, task.phase, wanted, nowMs) ??
        advanceAlone(task, nowMs)
      );
    case "killing":
    case "flushing":
    case "ended":
      return advanceAlone(task, nowMs);
    default:
      return unreachable(task.phase);
  }
}

/** What time alone brings, whether or not the scheduler has spoken. */
function advanceAlone(task: LocalTask, nowMs: number): readonly AgentAction[] {
  const key = keyOf(task);
  const phase = task.phase;
  if (phase.kind === "stopping" && nowMs >= phase.order.deadlineMs + STOP_ESCALATION_MS) {
    return [{ kind: "kill", key, why: "deadline" }];
  }
  if (phase.kind !== "flushing") return [];
  if (nowMs >= phase.untilMs) return [{ kind: "abandon_uploads", key }];
  return phase.hasBegun ? [] : [{ kind: "flush_uploads", key, untilMs: phase.untilMs }];
}

/** The scheduler does not want it: nothing of it may go on, and once it is over it is forgotten. */
function dismiss(task: LocalTask, desired: Desired): readonly AgentAction[] {
  const key = keyOf(task);
  switch (task.phase.kind) {
    case "ended":
      return [{ kind: "forget", key }];
    case "flushing":
      return [{ kind: "abandon_uploads", key }];
    case "killing":
      return [];
    default: {
      const isSuperseded = desired.tasks.some(
        (other) => other.jobId === task.jobId && other.attempt > task.attempt,
      );
      return [{ kind: "kill", key, why: isSuperseded ? "superseded" : "not_desired" }];
    }
  }
}

function towardsLaunch(task: LocalTask, wanted: DesiredTask): readonly AgentAction[] {
  // Rank 0 need not wait until the scheduler has heard of its choice.
  const rendezvous = task.rendezvous ?? wanted.rendezvous;
  if (rendezvous !== null) return [{ kind: "launch", task: wanted, rendezvous }];
  return task.rank === 0 ? [{ kind: "choose_rendezvous", key: keyOf(task) }] : [];
}

function stopAction(wanted: DesiredTask, order: StopOrder): AgentAction {
  return { kind: "stop", key: keyOf(wanted), order, signal: wanted.spec.stopSignal };
}

/** A second order counts when its reason is another or its deadline clearly nearer; never later. */
function stopAgain(current: StopOrder, wanted: DesiredTask): readonly AgentAction[] | null {
  const order = wanted.stop;
  if (order === null) return null;
  const isSooner = order.deadlineMs < current.deadlineMs - DEADLINE_JITTER_MS;
  if (order.reason === current.reason && !isSooner) return null;
  const deadlineMs = Math.min(order.deadlineMs, current.deadlineMs);
  return [stopAction(wanted, { ...order, deadlineMs })];
}

/**
 * A script that does not react to the stop file is ended soon after its next checkpoint is
 * committed: it would only use the GPUs for work that is lost. Not at once, since one that does
 * react is just then on its way out, and its peers with it.
 */
function endAfterCheckpoint(
  task: LocalTask,
  phase: Extract<LocalPhase, { kind: "stopping" }>,
  wanted: DesiredTask,
  nowMs: number,
): readonly AgentAction[] | null {
  const { order, checkpointStep } = phase;
  const deadlineMs = nowMs + LEAVE_MS;
  if (!order.wantsCheckpoint || checkpointStep === null) return null;
  if (order.deadlineMs <= deadlineMs) return null;
  if (!isCommitted(task, checkpointStep, wanted.committedCheckpoints)) return null;
  return [stopAction(wanted, { ...order, deadlineMs })];
}

function starts(local: LocalState, desired: Desired | null): readonly AgentAction[] {
  return awaited(local, desired)
    .filter((task) => !isOlderAlive(local, task))
    .map((task) => ({ kind: "prepare", task }));
}

/**
 * Desired tasks that are not here yet and will be started as soon as they may: after the lease is
 * renewed, or when an older attempt's processes are gone. Until then they must be reported all the
 * same, or the scheduler takes them for lost and places them elsewhere while they start here.
 */
export function awaited(local: LocalState, desired: Desired | null): readonly DesiredTask[] {
  const tasks = desired?.tasks ?? [];
  return tasks.filter((task) => isAwaited(local, task, tasks));
}

function isAwaited(local: LocalState, task: DesiredTask, desired: readonly DesiredTask[]): boolean {
  if (task.stop !== null) return false;
  if (local.tasks.some((held) => isSameTask(held, task))) return false;
  if (desired.some((other) => other.jobId === task.jobId && other.attempt > task.attempt)) {
    return false;
  }
  const newest = local.attemptsSeen.get(task.jobId) ?? 0;
  // The same attempt is new only as another rank of a gang that is here already.
  return (
    task.attempt > newest ||
    local.tasks.some((held) => held.jobId === task.jobId && held.attempt === task.attempt)
  );
}

/** Another attempt whose processes may still be there: it is being killed, wait for that. */
function isOlderAlive(local: LocalState, task: DesiredTask): boolean {
  return local.tasks.some(
    (held) => held.jobId === task.jobId && held.attempt !== task.attempt && hasProcess(held),
  );
}

function keyOf(task: TaskKey): TaskKey {
  return { jobId: task.jobId, attempt: task.attempt, rank: task.rank };
}
