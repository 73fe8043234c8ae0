// What a command does to the cluster: events, or a refusal. Reads the state, changes nothing. What
// follows from the events (an attempt ends with its last task, a job is requeued) is in react.ts.

import { unreachable } from "../../base/assert.ts";
import { type ErrorCode, refuse } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import type { Command, Envelope } from "./commands.ts";
import { decideCheckpoint } from "./decide-checkpoint.ts";
import {
  decideCancel,
  decideForecast,
  decideHold,
  decideRelease,
  decideSubmit,
} from "./decide-job.ts";
import { decidePolicy } from "./decide-policy.ts";
import { decideRegister, decideReport } from "./decide-report.ts";
import { decideQueueApply, decideQueueDelete } from "./decide-queue.ts";
import { type Decision, noSuchNode } from "./decision.ts";
import type { ClusterEvent } from "./events.ts";
import type { Identity } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { ClusterState, Node, Policy } from "./state.ts";

export function decide(
  state: ClusterState,
  envelope: Envelope,
  nowMs: number,
  policy: Policy,
): Decision {
  const { command } = envelope;
  switch (command.kind) {
    case "policy.apply":
      return decidePolicy(state, command.policy);
    case "job.submit":
      return decideSubmit(state, command.spec, ownerOf(envelope.actor), policy);
    case "job.cancel":
      return decideCancel(state, command, actorText(envelope.actor), nowMs, policy);
    case "job.hold":
      return decideHold(state, command, actorText(envelope.actor));
    case "job.release":
      return decideRelease(state, command.jobId);
    case "job.forecast":
      return decideForecast(state, command);
    case "queue.apply":
      return decideQueueApply(state, command);
    case "queue.delete":
      return decideQueueDelete(state, command.path);
    case "node.cordon":
      return setSchedulability(state, command.nodeId, "cordoned", command.note);
    case "node.drain":
      return setSchedulability(state, command.nodeId, "draining", command.note);
    case "node.uncordon":
      return setSchedulability(state, command.nodeId, "open", "");
    case "node.notice":
      return decideNotice(state, command, nowMs);
    case "node.remove":
      return decideRemove(state, command.nodeId);
    case "node.register":
      return decideRegister(state, command);
    case "node.report":
      return decideReport(state, command.report);
    case "node.expire":
      return decideExpire(state, command);
    case "checkpoint.commit":
    case "checkpoint.reject":
    case "checkpoint.delete":
      return decideCheckpoint(state, command);
    case "clock.tick":
      return decideTick(state, nowMs);
    default:
      return unreachable(command);
  }
}

/** `user@tenant`, `agent:<node>` or `scheduler`: how an actor stands in the log. */
export function actorText(actor: Envelope["actor"]): string {
  if (actor === "scheduler") return actor;
  return "agent" in actor ? `agent:${actor.agent}` : `${actor.user}@${actor.tenant}`;
}

function ownerOf(actor: Envelope["actor"]): Identity {
  return typeof actor === "object" && "user" in actor
    ? actor
    : { tenant: "default", user: actorText(actor) };
}

function setSchedulability(
  state: ClusterState,
  nodeId: NodeId,
  schedulability: Node["schedulability"],
  note: string,
): Decision {
  const node = state.nodes.get(nodeId);
  if (node === undefined) return noSuchNode(nodeId);
  if (node.schedulability === schedulability && node.note === note) return [];
  return [{ kind: "node.schedulability-set", nodeId, schedulability, note }];
}

/** What runs there is asked to stop by the next plan; what is stopping already has to hurry. */
function decideNotice(
  state: ClusterState,
  { nodeId, inMs, note }: Extract<Command, { readonly kind: "node.notice" }>,
  nowMs: number,
): Decision {
  const node = state.nodes.get(nodeId);
  if (node === undefined) return noSuchNode(nodeId);
  const goesAtMs = nowMs + inMs;
  const events: ClusterEvent[] = [{ kind: "node.notice-given", nodeId, goesAtMs, note }];
  for (const jobId of new Set(node.allocations.map((held) => held.jobId))) {
    const { phase } = jobOf(state, jobId);
    if (phase.kind !== "stopping" || phase.deadlineMs <= goesAtMs) continue;
    const { attempt, cause } = phase;
    const order = { jobId, attempt: attempt.number, cause, deadlineMs: goesAtMs };
    events.push({ kind: "job.stopping", ...order });
  }
  return events;
}

function decideRemove(state: ClusterState, nodeId: NodeId): Decision {
  const node = state.nodes.get(nodeId);
  if (node === undefined) return noSuchNode(nodeId);
  if (node.health === "up") {
    const code: ErrorCode = "NODE_NAME_TAKEN";
    return refuse(code, `Node ${nodeId} has a live agent.`, "Stop its agent first.", "node");
  }
  return [{ kind: "node.removed", nodeId }];
}

/** Only the life that was watched may expire: a restarted agent is another instance. */
function decideExpire(
  state: ClusterState,
  command: Extract<Command, { readonly kind: "node.expire" }>,
): Decision {
  const node = state.nodes.get(command.nodeId);
  if (node === undefined || node.health === "lost" || node.instance !== command.instance) return [];
  return [{ kind: "node.lost", nodeId: command.nodeId }];
}

/** Attempts that have run for their time limit are asked to stop. */
function decideTick(state: ClusterState, nowMs: number): Decision {
  const events: ClusterEvent[] = [];
  for (const { id: jobId, phase, spec } of state.active.values()) {
    if (phase.kind !== "running" || spec.timeLimitMs === null) continue;
    const { number, runningAtMs } = phase.attempt;
    if (runningAtMs === null || nowMs < runningAtMs + spec.timeLimitMs) continue;
    const deadlineMs = nowMs + spec.graceMs;
    events.push({
      kind: "job.stopping",
      jobId,
      attempt: number,
      cause: { kind: "time_limit" },
      deadlineMs,
    });
  }
  return events;
}
