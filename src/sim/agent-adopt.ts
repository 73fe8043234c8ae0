// What a restarted agent makes of the folders that it finds. As in the daemon: what runs is taken up
// with the orders that it had, what ended meanwhile ends now, what never started is over.

import type { LocalEvent, LocalPhase } from "../agent/core/local.ts";
import type { Machine, TaskRecord } from "./machine.ts";

export function adoptAll(machine: Machine): readonly LocalEvent[] {
  if (!machine.sabotage.agentAdopts) machine.records.clear();
  return [...machine.records.values()].flatMap((record) => adopt(machine, record));
}

function adopt(machine: Machine, record: TaskRecord): readonly LocalEvent[] {
  const { local, process } = record;
  const phase = phaseOf(record, machine.sabotage.agentKeepsStopOrders);
  const events: LocalEvent[] = [{ kind: "adopted", task: { ...local, parts: [], phase } }];
  const exit = process?.exit ?? null;
  if (exit === null || phase.kind === "ended" || phase.kind === "flushing") return events;
  const { jobId, attempt, rank } = local;
  const nowMs = machine.clock.bootMs();
  return [...events, { kind: "exited", key: { jobId, attempt, rank }, exit, nowMs }];
}

function phaseOf(record: TaskRecord, keepsStopOrders: boolean): LocalPhase {
  const { phase } = record.local;
  if (phase.kind === "ended") return phase;
  if (phase.kind === "flushing") return { ...phase, hasBegun: false };
  if (record.process === null) return neverStarted();
  // Only an order that has reached the supervisor is on the disk; another one will come again. What
  // was being killed, and is still not wanted, is killed again.
  const isTold = record.process.isToldToStop && keepsStopOrders;
  return phase.kind === "stopping" && isTold ? phase : { kind: "running" };
}

function neverStarted(): LocalPhase {
  const message = "the agent was restarted before the task had started";
  return { kind: "ended", exit: { reason: "lost", code: -1, message } };
}
