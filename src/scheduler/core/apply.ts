// The only code that changes a ClusterState: the fold of the event log, the same in the daemon, on
// restart, in tests and in the simulator. It trusts the log: a relation that does not hold is a bug.

import { assert } from "../../base/assert.ts";
import type { NodeId, QueuePath } from "../../base/ids.ts";
import { chargeQueues } from "./allocate.ts";
import { applyCheckpointEvent } from "./apply-checkpoint.ts";
import { applyJobEvent } from "./apply-job.ts";
import type { ClusterEvent, EventOf, LoggedEvent } from "./events.ts";
import { nodeOf, oldestBeyond } from "./lookup.ts";
import { PendingIndex } from "./pending.ts";
import { completeQueueSpec } from "./queue-spec.ts";
import {
  DEFAULT_POLICY,
  type MutableClusterState,
  NO_COUNTS,
  type Policy,
  REQUESTS_KEPT,
} from "./state.ts";
import { upgradeNodeSpec } from "./upgrade.ts";
import { NO_PAST } from "./usage.ts";

/** `policy`: what holds until the log says another. */
export function createState(policy: Policy = DEFAULT_POLICY): MutableClusterState {
  return {
    seq: 0,
    atMs: 0,
    jobNumberLast: 0,
    jobs: new Map(),
    arrays: new Map(),
    queues: new Map(),
    nodes: new Map(),
    reservations: new Map(),
    requests: new Map(),
    policy,
    pending: new PendingIndex(),
    dependents: new Map(),
    active: new Map(),
    ended: new Set(),
    runTimes: new Map(),
    totals: {
      ...NO_COUNTS,
      nodeLosses: 0,
      usedGpuMs: 0,
      lostGpuMs: 0,
      checkpointsCommitted: 0,
      thrash: 0,
    },
  };
}

export function apply(state: MutableClusterState, logged: LoggedEvent): void {
  assert(logged.seq === state.seq + 1, `event ${logged.seq} after ${state.seq}: a gap in the log`);
  assert(logged.atMs >= state.atMs, `event ${logged.seq} is older than the one before`);
  state.seq = logged.seq;
  state.atMs = logged.atMs;
  state.pending.settle(state.atMs, state.jobs);
  if (logged.request !== null) rememberRequest(state, logged);
  applyEvent(state, logged.event);
}

function applyEvent(state: MutableClusterState, event: ClusterEvent): void {
  switch (event.kind) {
    case "request.noted":
      return;
    case "policy.set":
      return setPolicy(state, { ...DEFAULT_POLICY, ...event.policy });
    case "policy.usage-half-life-set":
      return setPolicy(state, { ...state.policy, usageHalfLifeMs: event.usageHalfLifeMs });
    case "queue.set":
      return setQueue(state, event);
    case "shares.noted":
      return noteShares(state, event);
    case "queue.deleted":
      state.queues.delete(event.path);
      return;
    case "node.registered":
      return registerNode(state, event);
    case "node.lost":
      return loseNode(state, event.nodeId);
    case "node.schedulability-set":
      return setSchedulability(state, event);
    case "node.notice-given": {
      const { goesAtMs, note } = event;
      const schedulability = "draining";
      const node = nodeOf(state, event.nodeId);
      state.nodes.set(event.nodeId, { ...node, schedulability, note, goesAtMs });
      return;
    }
    case "node.conditions-set": {
      const { nodeId, conditions } = event;
      state.nodes.set(nodeId, { ...nodeOf(state, nodeId), conditions });
      return;
    }
    case "node.removed":
      state.nodes.delete(event.nodeId);
      return;
    case "reservation.made":
      state.reservations.set(event.jobId, { ...omitKind(event), madeAtMs: state.atMs });
      return;
    case "reservation.dropped":
      return dropReservation(state, event);
    case "checkpoint.part-stored":
    case "checkpoint.committed":
    case "checkpoint.rejected":
    case "checkpoint.deleted":
      return applyCheckpointEvent(state, event);
    default:
      return applyJobEvent(state, event);
  }
}

function rememberRequest(state: MutableClusterState, logged: LoggedEvent): void {
  if (logged.request === null) return;
  const { id, fingerprint } = logged.request;
  const jobId = "jobId" in logged.event ? logged.event.jobId : null;
  state.requests.set(id, { fingerprint, jobId });
  for (const oldest of oldestBeyond(state.requests, REQUESTS_KEPT)) state.requests.delete(oldest);
}

/** What was used up to now decays by the old half-life. */
function setPolicy(state: MutableClusterState, policy: Policy): void {
  const { usageHalfLifeMs, shareWindowMs } = state.policy;
  if (policy.usageHalfLifeMs !== usageHalfLifeMs || policy.shareWindowMs !== shareWindowMs) {
    chargeQueues(state, [...state.queues.keys()]);
  }
  state.policy = policy;
}

function setQueue(state: MutableClusterState, event: EventOf<"queue.set">): void {
  const spec = completeQueueSpec(event.spec);
  const before = state.queues.get(spec.path);
  if (before !== undefined && before.spec.usageHalfLifeMs !== spec.usageHalfLifeMs) {
    chargeQueues(state, treeOf(state, spec.path)); // Past use decays by the old half-life.
  }
  const { usageGpuMs, usageCoreMs, usageGibMs, usageAtMs } = state.queues.get(spec.path) ?? {
    ...NO_PAST,
    usageAtMs: state.atMs,
  };
  state.queues.set(spec.path, {
    spec,
    allocated: before?.allocated ?? { gpus: 0, cpuMilli: 0, memoryMib: 0 },
    heldByUser: before?.heldByUser ?? new Map(),
    usageGpuMs,
    usageCoreMs,
    usageGibMs,
    usageAtMs,
    noted: before?.noted ?? null,
    accountGpuMs: before?.accountGpuMs ?? 0,
    counts: before?.counts ?? NO_COUNTS,
  });
  state.pending.setByRunTime(spec.path, spec.order === "shortest", state.jobs);
}

function noteShares(state: MutableClusterState, { dues }: EventOf<"shares.noted">): void {
  chargeQueues(state, [...state.queues.keys()]);
  const due = new Map(dues);
  for (const [path, queue] of state.queues) {
    const dueMilliGpus = due.get(path);
    const noted = dueMilliGpus === undefined ? null : { dueMilliGpus, atMs: state.atMs };
    state.queues.set(path, { ...queue, noted });
  }
}

function treeOf(state: MutableClusterState, top: QueuePath): readonly QueuePath[] {
  return [...state.queues.keys()].filter((path) => path === top || path.startsWith(`${top}/`));
}

function setSchedulability(
  state: MutableClusterState,
  { nodeId, schedulability, note }: EventOf<"node.schedulability-set">,
): void {
  const node = nodeOf(state, nodeId);
  const goesAtMs = schedulability === "open" ? null : node.goesAtMs;
  state.nodes.set(nodeId, { ...node, schedulability, note, goesAtMs });
}

function registerNode(state: MutableClusterState, event: EventOf<"node.registered">): void {
  const before = state.nodes.get(event.spec.id);
  const goesAtMs = before?.goesAtMs ?? null;
  // Whoever comes up under the name after that is another machine, or one that was spared.
  const isPast = goesAtMs !== null && goesAtMs <= state.atMs;
  state.nodes.set(event.spec.id, {
    spec: upgradeNodeSpec(event.spec),
    instance: event.instance,
    health: "up",
    schedulability: isPast ? "open" : (before?.schedulability ?? "open"),
    note: isPast ? "" : (before?.note ?? ""),
    goesAtMs: isPast ? null : goesAtMs,
    bundles: before?.bundles ?? [],
    conditions: before?.conditions ?? [],
    allocations: before?.allocations ?? [],
    registeredAtMs: state.atMs,
    lostAtMs: null,
  });
}

function loseNode(state: MutableClusterState, nodeId: NodeId): void {
  state.nodes.set(nodeId, { ...nodeOf(state, nodeId), health: "lost", lostAtMs: state.atMs });
  state.totals = { ...state.totals, nodeLosses: state.totals.nodeLosses + 1 };
}

function dropReservation(state: MutableClusterState, event: EventOf<"reservation.dropped">): void {
  const reservation = state.reservations.get(event.jobId);
  state.reservations.delete(event.jobId);
  if (event.why !== "replanned" || reservation === undefined) return;
  state.totals = { ...state.totals, thrash: state.totals.thrash + reservation.victims.length };
}

function omitKind(
  event: EventOf<"reservation.made">,
): Pick<EventOf<"reservation.made">, "jobId" | "placement" | "victims"> {
  return { jobId: event.jobId, placement: event.placement, victims: event.victims };
}
