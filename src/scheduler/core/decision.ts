// What deciding answers, and the refusals that several deciders share.

import { type Refusal, refuse } from "../../base/errors.ts";
import type { ClusterEvent } from "./events.ts";

/** Empty events = nothing to do, which is fine: every command is idempotent. */
export type Decision = readonly ClusterEvent[] | Refusal;

export const isRefusal = (decision: Decision): decision is Refusal => "code" in decision;

export function noSuchJob(reference: string): Refusal {
  const remedy = "`trainyard ps -a` lists the jobs.";
  return refuse("JOB_NOT_FOUND", `No job is "${reference}".`, remedy, "job");
}

export function noSuchNode(nodeId: string): Refusal {
  const remedy = "`trainyard node ls` lists the nodes.";
  return refuse("NODE_NOT_FOUND", `No node is named "${nodeId}".`, remedy, "node");
}
