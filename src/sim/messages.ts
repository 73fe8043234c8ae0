// What travels on an agent's stream. The fields of the wire that matter to the cores, and nothing else.

import type { AgentInstanceId } from "../base/ids.ts";
import type { NodeReport } from "../scheduler/core/commands.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { NodeSpec } from "../scheduler/core/state.ts";

export type AgentMessage =
  | {
      readonly kind: "hello";
      readonly spec: NodeSpec;
      readonly instance: AgentInstanceId;
      readonly report: NodeReport;
    }
  | { readonly kind: "heartbeat"; readonly seq: number }
  | { readonly kind: "report"; readonly report: NodeReport };

export type SchedulerMessage =
  | { readonly kind: "welcome"; readonly leaseMs: number }
  | { readonly kind: "heartbeat_ack"; readonly seq: number }
  | {
      readonly kind: "desired";
      readonly generation: number;
      /** Stop deadlines are milliseconds left when it was sent. */
      readonly tasks: readonly DesiredTask[];
    };

/** A message in a line of the trace. */
export function describe(message: AgentMessage | SchedulerMessage): string {
  switch (message.kind) {
    case "hello":
    case "report":
      return `${message.kind} ${JSON.stringify(message.report)}`;
    case "desired":
      return `desired ${message.generation} ${message.tasks.map(describeTask).join(" ")}`;
    default:
      return JSON.stringify(message);
  }
}

function describeTask(task: DesiredTask): string {
  const stop = task.stop === null ? "run" : `${task.stop.reason}:${task.stop.deadlineMs}`;
  const rest = [task.resume?.checkpointId, task.gatheringSteps, task.committedCheckpoints];
  return `${task.jobId}/${task.attempt}/${task.rank} ${stop} ${JSON.stringify(rest)}`;
}
