// What a restarted agent makes of the folders that it finds. As in the daemon: what runs is taken up
// with the orders that it had, what ended meanwhile ends now, what never started is over.

import type { LocalEvent, LocalPhase } from "../agent/core/local.ts";
import type { Machine, TaskRecord } from "./machine.ts";

export function adoptAll(machine: Machine): readonly LocalEvent[] {
  if (!machine.faultsOn.agentAdopts) machine.records.clear();
  return [...machine.records.values()].flatMap((record) => adopt(machine, record));
}

function adopt(machine: Machine, record: TaskRecord): readonly LocalEvent[] {
  const { local, process } = record;
  const phase = phaseOf(record, machine.faultsOn.agentKeepsStopOrders);
  const events: LocalEvent[] = [{ kind: "adopted", task: { ...local, phase } }];
  if (process?.exit == null || phase.kind === "ended" || phase.kind === "flushing") return events;
  const { jobId, attempt, rank } = local;
  const nowMs = machine.clock.bootMs();
  return [...events, { kind: "exited", key: { jobId, attempt, rank }, exit: process.exit, nowMs }];
}

function phaseOf(record: TaskRecord, keepsStopOrders: boolean): LocalPhase {
  const { phase } = record.local;
  switch (phase.kind) {
    case "ended":
      return phase;
    case "flushing":
      return { ...phase, hasBegun: false };
    case "stopping":
      return keepsStopOrders ? phase : { kind: "running" };
    case "running":
    case "launching":
      return { kind: "running" };
    case "killing":
      // Its reason is not on the disk: what is not wanted any more is killed again.
      if (record.process !== null) return { kind: "running" };
      return neverStarted();
    default:
      return neverStarted();
  }
}

function neverStarted(): LocalPhase {
  const message = "the agent was restarted before the task had started";
  return { kind: "ended", exit: { reason: "lost", code: -1, message } };
}
