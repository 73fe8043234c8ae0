// What an agent tells of its tasks. The scheduler's three words for a task hide the agent's own steps.

import { unreachable } from "../../base/assert.ts";
import type { ObservedTask } from "../../scheduler/core/commands.ts";
import type { DesiredTask } from "../../scheduler/core/desired.ts";
import type { Desired } from "./actions.ts";
import type { LocalPhase, LocalState, LocalTask } from "./local.ts";
import { awaited } from "./reconcile.ts";

/**
 * `desired` is what the report's generation is of. What it wants and this agent is only waiting to
 * start counts as preparing: a task that a report leaves out is over for the scheduler.
 */
export function observe(local: LocalState, desired: Desired | null): readonly ObservedTask[] {
  return [...local.tasks.map(observeTask), ...awaited(local, desired).map(announce)];
}

/**
 * What the scheduler acts on or shows as progress. That a task is being prepared, and which
 * generation is acted on, can wait a moment: mostly the next news comes within it, and one report
 * says both.
 */
export function newsOf(tasks: readonly ObservedTask[]): readonly ObservedTask[] {
  return tasks.filter(
    ({ state, rendezvous, parts }) =>
      state.kind !== "preparing" || rendezvous !== null || parts.length > 0,
  );
}

function announce({ jobId, attempt, rank }: DesiredTask): ObservedTask {
  return { jobId, attempt, rank, state: { kind: "preparing" }, rendezvous: null, parts: [] };
}

function observeTask(task: LocalTask): ObservedTask {
  return {
    jobId: task.jobId,
    attempt: task.attempt,
    rank: task.rank,
    state: observeState(task.phase),
    // Of a gang of one nobody else needs it.
    rendezvous: task.rank === 0 && task.nodes > 1 ? task.rendezvous : null,
    parts: task.parts,
  };
}

function observeState(phase: LocalPhase): ObservedTask["state"] {
  switch (phase.kind) {
    case "preparing":
    case "waiting_rendezvous":
    case "choosing_rendezvous":
    case "launching":
      return { kind: "preparing" };
    // A task keeps its place until its last checkpoint is stored.
    case "running":
    case "stopping":
    case "flushing":
      return { kind: "running" };
    case "killing":
      return phase.hasStarted ? { kind: "running" } : { kind: "preparing" };
    case "ended":
      return { kind: "ended", exit: phase.exit };
    default:
      return unreachable(phase);
  }
}
