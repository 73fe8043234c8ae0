// What the scheduler wants of a node, and what an agent can do about it. Types only.

import type { DesiredTask, StopOrder } from "../../scheduler/core/desired.ts";
import type { Rendezvous } from "../../scheduler/core/job.ts";
import type { TaskKey } from "./task-key.ts";

/** The whole of what this node is to do. Stop deadlines are by the agent's boot clock. */
export interface Desired {
  /** Sequence of the scheduler's log that it was made from. */
  readonly generation: number;
  readonly tasks: readonly DesiredTask[];
}

export type KillWhy =
  /** The scheduler says nothing of it. */
  | "not_desired"
  /** A newer attempt of its job is to run here. */
  | "superseded"
  /** No heartbeat was acknowledged for the lease: it may soon be placed elsewhere. */
  | "lease_expired"
  /** Told to stop and still there after the deadline. */
  | "deadline"
  /** Told to stop before its process was started. */
  | "stopped_early";

export type AgentAction =
  | { readonly kind: "prepare"; readonly task: DesiredTask }
  | { readonly kind: "choose_rendezvous"; readonly key: TaskKey }
  | { readonly kind: "launch"; readonly task: DesiredTask; readonly rendezvous: Rendezvous }
  | {
      readonly kind: "stop";
      readonly key: TaskKey;
      readonly order: StopOrder;
      readonly signal: DesiredTask["spec"]["stopSignal"];
    }
  | { readonly kind: "kill"; readonly key: TaskKey; readonly why: KillWhy }
  /** Finish uploading what is complete; `uploads_done` when through. */
  | { readonly kind: "flush_uploads"; readonly key: TaskKey; readonly untilMs: number }
  | { readonly kind: "abandon_uploads"; readonly key: TaskKey }
  | { readonly kind: "forget"; readonly key: TaskKey };
