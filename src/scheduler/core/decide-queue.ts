// Changing the queue tree: all of it or nothing, and never into a tree that contradicts itself.

import { type Refusal, refuse } from "../../base/errors.ts";
import { compareText, type QueuePath } from "../../base/ids.ts";
import type { Command } from "./commands.ts";
import type { Decision } from "./decision.ts";
import { childrenOf } from "./decide-job.ts";
import type { ClusterEvent } from "./events.ts";
import { jobOf, queueLineage } from "./lookup.ts";
import type { ClusterState, QueueSpec } from "./state.ts";

const SEGMENT = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const DEPTH_MAX = 8;
const GPUS_MAX = 1_000_000;
const WEIGHT_MAX = 1_000_000;

export function decideQueueApply(
  state: ClusterState,
  command: Extract<Command, { readonly kind: "queue.apply" }>,
): Decision {
  const tree = new Map<QueuePath, QueueSpec>();
  if (!command.prune) for (const [path, queue] of state.queues) tree.set(path, queue.spec);
  const given = new Set<QueuePath>();
  for (const spec of command.queues) {
    if (given.has(spec.path)) return invalid(spec, "path", spec.path, "is given twice");
    given.add(spec.path);
    tree.set(spec.path, spec);
  }
  for (const spec of tree.values()) {
    const problem = specProblem(spec) ?? placeProblem(tree, spec);
    if (problem !== null) return problem;
  }
  const problem = guaranteeProblem(tree) ?? jobsProblem(state, tree);
  return problem ?? changes(state, tree);
}

export function decideQueueDelete(state: ClusterState, path: QueuePath): Decision {
  if (!state.queues.has(path)) {
    const remedy = "`trainyard queue ls` lists the queues.";
    return refuse("QUEUE_NOT_FOUND", `Queue "${path}" does not exist.`, remedy, "path");
  }
  const children = childrenOf(state, path);
  if (children.length > 0) {
    const message = `Queue "${path}" has queues below it: ${children.join(", ")}.`;
    return refuse("QUEUE_NOT_EMPTY", message, "Delete those first.", "path");
  }
  const remaining = new Map([...state.queues].map(([other, queue]) => [other, queue.spec]));
  remaining.delete(path);
  return jobsProblem(state, remaining) ?? [{ kind: "queue.deleted", path }];
}

function specProblem(spec: QueueSpec): Refusal | null {
  const segments = spec.path.split("/");
  const bad = segments.find((segment) => !SEGMENT.test(segment));
  if (bad !== undefined || segments.length > DEPTH_MAX) {
    const rule = "needs lower-case letters, digits, `.`, `_` or `-`, at most 8 levels";
    return invalid(spec, "path", spec.path, rule);
  }
  const wholeUpTo = (value: number, max: number): boolean =>
    Number.isSafeInteger(value) && value >= 0 && value <= max;
  if (!wholeUpTo(spec.guarantee, GPUS_MAX)) {
    return invalid(spec, "guarantee", spec.guarantee, `is not a whole number in 0..${GPUS_MAX}`);
  }
  if (!wholeUpTo(spec.weight, WEIGHT_MAX)) {
    return invalid(spec, "weight", spec.weight, `is not a whole number in 0..${WEIGHT_MAX}`);
  }
  if (spec.limit === null) return null;
  if (!wholeUpTo(spec.limit, GPUS_MAX)) {
    return invalid(spec, "limit", spec.limit, `is not a whole number in 0..${GPUS_MAX}`);
  }
  if (spec.limit >= spec.guarantee) return null;
  return invalid(spec, "limit", spec.limit, `is under the guarantee of ${spec.guarantee}`);
}

function placeProblem(tree: ReadonlyMap<QueuePath, QueueSpec>, spec: QueueSpec): Refusal | null {
  const parent = queueLineage(spec.path)[1];
  if (parent === undefined) return null;
  const above = tree.get(parent);
  if (above === undefined) return invalid(spec, "path", spec.path, `needs its parent "${parent}"`);
  if (above.limit === null || spec.limit === null || spec.limit <= above.limit) return null;
  return invalid(spec, "limit", spec.limit, `is over the parent's limit of ${above.limit}`);
}

function guaranteeProblem(tree: ReadonlyMap<QueuePath, QueueSpec>): Refusal | null {
  const sums = new Map<QueuePath, number>();
  for (const spec of tree.values()) {
    const parent = queueLineage(spec.path)[1];
    if (parent !== undefined) sums.set(parent, (sums.get(parent) ?? 0) + spec.guarantee);
  }
  for (const [path, sum] of sums) {
    const spec = tree.get(path);
    if (spec === undefined || sum <= spec.guarantee) continue;
    const rule = `is less than the ${sum} that its children are guaranteed`;
    return invalid(spec, "guarantee", spec.guarantee, rule);
  }
  return null;
}

/** A queue with jobs may neither go away nor become a parent. */
function jobsProblem(state: ClusterState, tree: ReadonlyMap<QueuePath, QueueSpec>): Refusal | null {
  const parents = new Set([...tree.keys()].map((path) => queueLineage(path)[1]));
  for (const path of queuesWithJobs(state)) {
    if (!tree.has(path)) return notEmpty(path, "can't be deleted");
    if (parents.has(path)) return notEmpty(path, "can't get queues below it");
  }
  return null;
}

function queuesWithJobs(state: ClusterState): ReadonlySet<QueuePath> {
  const busy = new Set<QueuePath>();
  for (const [path] of state.pending.queues()) busy.add(path);
  for (const id of state.active) busy.add(jobOf(state, id).spec.queue);
  return busy;
}

function changes(
  state: ClusterState,
  tree: ReadonlyMap<QueuePath, QueueSpec>,
): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const paths = [...tree.keys()].sort(compareText); // A parent's path sorts before its children's.
  for (const path of paths) {
    const spec = tree.get(path);
    const before = state.queues.get(path)?.spec;
    if (spec !== undefined && !sameSpec(spec, before)) events.push({ kind: "queue.set", spec });
  }
  const gone = [...state.queues.keys()].filter((path) => !tree.has(path)).sort(compareText);
  for (const path of gone.reverse()) events.push({ kind: "queue.deleted", path });
  return events;
}

function sameSpec(a: QueueSpec, b: QueueSpec | undefined): boolean {
  if (b === undefined) return false;
  return (
    a.guarantee === b.guarantee &&
    a.limit === b.limit &&
    a.weight === b.weight &&
    a.order === b.order
  );
}

function invalid(spec: QueueSpec, field: string, value: unknown, rule: string): Refusal {
  const message = `Queue "${spec.path}": ${field} ${String(value)} ${rule}.`;
  return refuse(
    "QUEUE_INVALID",
    message,
    "Nothing was changed; correct it and apply again.",
    field,
  );
}

function notEmpty(path: QueuePath, what: string): Refusal {
  const message = `Queue "${path}" has jobs and ${what}.`;
  return refuse("QUEUE_NOT_EMPTY", message, "Cancel them, or wait until they have ended.", "path");
}
