// Changing the queue tree: all of it or nothing, and never into a tree that contradicts itself.

import { type Refusal, refuse } from "../../base/errors.ts";
import { compareText, type QueuePath } from "../../base/ids.ts";
import { DAY_MS } from "../../base/time.ts";
import type { Command } from "./commands.ts";
import type { Decision } from "./decision.ts";
import { childrenOf } from "./decide-job.ts";
import type { ClusterEvent } from "./events.ts";
import { jobOf, queueLineage } from "./lookup.ts";
import { QUEUE_FIELDS } from "./queue-spec.ts";
import type { ClusterState, QueueSpec } from "./state.ts";

const SEGMENT = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const DEPTH_MAX = 8;
const GPUS_MAX = 1_000_000;
const CPU_MILLI_MAX = 1_000_000_000;
const MEMORY_MIB_MAX = 1_000_000_000_000;

/** Largest value of each field that is a number; the least is 0. */
const MAXIMA = {
  guarantee: GPUS_MAX,
  guaranteeCpuMilli: CPU_MILLI_MAX,
  guaranteeMemoryMib: MEMORY_MIB_MAX,
  limit: GPUS_MAX,
  limitCpuMilli: CPU_MILLI_MAX,
  limitMemoryMib: MEMORY_MIB_MAX,
  borrowingLimit: GPUS_MAX,
  lendingLimit: GPUS_MAX,
  weight: 1_000_000,
  usageHalfLifeMs: 365 * DAY_MS,
} as const satisfies Partial<Record<keyof QueueSpec, number>>;

const QUOTA_FIELDS = [
  { guarantee: "guarantee", limit: "limit" },
  { guarantee: "guaranteeCpuMilli", limit: "limitCpuMilli" },
  { guarantee: "guaranteeMemoryMib", limit: "limitMemoryMib" },
] as const;

type Tree = ReadonlyMap<QueuePath, QueueSpec>;

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
  const problem = familyProblem(tree) ?? jobsProblem(state, tree);
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
  for (const [field, max] of Object.entries(MAXIMA)) {
    const value = spec[field as keyof typeof MAXIMA];
    if (value === null || (Number.isSafeInteger(value) && value >= 0 && value <= max)) continue;
    return invalid(spec, field, value, `is not a whole number in 0..${max}`);
  }
  return limitProblem(spec) ?? borrowProblem(spec) ?? halfLifeProblem(spec);
}

function limitProblem(spec: QueueSpec): Refusal | null {
  for (const { limit, guarantee } of QUOTA_FIELDS) {
    const [most, own] = [spec[limit], spec[guarantee] ?? 0];
    if (most === null || most >= own) continue;
    return invalid(spec, limit, most, `is under the ${guarantee} of ${own}`);
  }
  return null;
}

function borrowProblem(spec: QueueSpec): Refusal | null {
  const { guarantee, limit, borrowingLimit, lendingLimit } = spec;
  if (limit !== null && borrowingLimit !== null && guarantee + borrowingLimit > limit) {
    const rule = `is never reached: the limit of ${limit} leaves ${limit - guarantee} above the guarantee`;
    return invalid(spec, "borrowingLimit", borrowingLimit, rule);
  }
  if (lendingLimit === null || lendingLimit <= guarantee) return null;
  return invalid(spec, "lendingLimit", lendingLimit, `is over the guarantee of ${guarantee}`);
}

function halfLifeProblem({ path, usageHalfLifeMs, ...spec }: QueueSpec): Refusal | null {
  if (usageHalfLifeMs === null || !path.includes("/")) return null;
  const top = path.split("/", 1)[0] ?? path;
  const rule = `is for a whole tree: only "${top}" can have it`;
  return invalid({ path, usageHalfLifeMs, ...spec }, "usageHalfLifeMs", usageHalfLifeMs, rule);
}

function placeProblem(tree: Tree, spec: QueueSpec): Refusal | null {
  const parent = queueLineage(spec.path)[1];
  if (parent === undefined) return null;
  const above = tree.get(parent);
  if (above === undefined) return invalid(spec, "path", spec.path, `needs its parent "${parent}"`);
  for (const { limit } of QUOTA_FIELDS) {
    const [own, most] = [spec[limit], above[limit]];
    if (own === null || most === null || own <= most) continue;
    return invalid(spec, limit, own, `is over the parent's ${limit} of ${most}`);
  }
  return null;
}

/** What children are guaranteed must be the parent's to give, and somebody must be due the rest. */
function familyProblem(tree: Tree): Refusal | null {
  const families = new Map<QueuePath | null, QueueSpec[]>();
  for (const spec of tree.values()) {
    const parent = queueLineage(spec.path)[1] ?? null;
    families.set(parent, [...(families.get(parent) ?? []), spec]);
  }
  for (const [path, children] of families) {
    const parent = path === null ? undefined : tree.get(path);
    const problem =
      (parent === undefined ? null : guaranteeProblem(parent, children)) ?? weightProblem(children);
    if (problem !== null) return problem;
  }
  return null;
}

function guaranteeProblem(parent: QueueSpec, children: readonly QueueSpec[]): Refusal | null {
  for (const { guarantee } of QUOTA_FIELDS) {
    const sum = children.reduce((total, child) => total + (child[guarantee] ?? 0), 0);
    const own = parent[guarantee] ?? 0;
    if (sum <= own) continue;
    const rule = `is less than the ${sum} that its children are guaranteed`;
    return invalid(parent, guarantee, own, rule);
  }
  return null;
}

/** Several queues of weight 0 and no guarantee, and nobody else: nobody is due anything. */
function weightProblem(siblings: readonly QueueSpec[]): Refusal | null {
  const isDueNothing = (spec: QueueSpec): boolean =>
    spec.weight === 0 && QUOTA_FIELDS.every(({ guarantee }) => (spec[guarantee] ?? 0) === 0);
  const [first] = siblings;
  if (first === undefined || siblings.length < 2 || !siblings.every(isDueNothing)) return null;
  const names = siblings.map(({ path }) => path).join(", ");
  return invalid(
    first,
    "weight",
    0,
    `is the weight of all its siblings (${names}), which have no guarantee`,
  );
}

/** A queue with jobs may neither go away nor become a parent. */
function jobsProblem(state: ClusterState, tree: Tree): Refusal | null {
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

function changes(state: ClusterState, tree: Tree): readonly ClusterEvent[] {
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
  return QUEUE_FIELDS.every((field) => a[field] === b[field]);
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
