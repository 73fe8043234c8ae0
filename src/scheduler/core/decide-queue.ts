// Changing the queue tree: all of it or nothing, and never into a tree that contradicts itself.

import { type Refusal, refuse } from "../../base/errors.ts";
import { compareText, type QueuePath } from "../../base/ids.ts";
import { DAY_MS } from "../../base/time.ts";
import type { Command } from "./commands.ts";
import type { Decision } from "./decision.ts";
import { childrenOf } from "./decide-job.ts";
import type { ClusterEvent } from "./events.ts";
import { queueLineage } from "./lookup.ts";
import { QUEUE_FIELDS, QUEUE_WORDS, type QueueField, queueValueText } from "./queue-spec.ts";
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
    if (given.has(spec.path)) return badPath(spec, "is given twice", "Name it once.");
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
    return badPath(spec, rule, "Give it another name.");
  }
  for (const [field, max] of Object.entries(MAXIMA) as [keyof typeof MAXIMA, number][]) {
    const value = spec[field];
    if (value === null || (Number.isSafeInteger(value) && value >= 0 && value <= max)) continue;
    const most = queueValueText(field, max);
    return invalid(spec, field, `is not in 0..${most}`, `Write a number from 0 to ${most}.`);
  }
  return limitProblem(spec) ?? borrowProblem(spec) ?? halfLifeProblem(spec);
}

function limitProblem(spec: QueueSpec): Refusal | null {
  for (const { limit, guarantee } of QUOTA_FIELDS) {
    const [most, own] = [spec[limit], spec[guarantee] ?? 0];
    if (most === null || most >= own) continue;
    const rule = `is under the ${QUEUE_WORDS[guarantee]} of ${queueValueText(guarantee, own)}`;
    return invalid(spec, limit, rule, "Raise the limit, or lower the guarantee.");
  }
  return null;
}

function borrowProblem(spec: QueueSpec): Refusal | null {
  const { guarantee, limit, borrowingLimit, lendingLimit } = spec;
  if (limit !== null && borrowingLimit !== null && guarantee + borrowingLimit > limit) {
    const rule = `is never reached: the limit of ${limit} leaves ${limit - guarantee} above the guarantee`;
    return invalid(spec, "borrowingLimit", rule, "Raise the limit, or leave one of the two out.");
  }
  if (lendingLimit === null || lendingLimit <= guarantee) return null;
  const remedy = "Leave it out: all of an unused guarantee is lent then.";
  return invalid(spec, "lendingLimit", `is over the guarantee of ${guarantee}`, remedy);
}

function halfLifeProblem(spec: QueueSpec): Refusal | null {
  const { path, usageHalfLifeMs } = spec;
  if (usageHalfLifeMs === null || !path.includes("/")) return null;
  const top = path.split("/", 1)[0] ?? path;
  return invalid(spec, "usageHalfLifeMs", "is for a whole tree", `Move it to queue "${top}".`);
}

function placeProblem(tree: Tree, spec: QueueSpec): Refusal | null {
  const parent = queueLineage(spec.path)[1];
  if (parent === undefined) return null;
  const above = tree.get(parent);
  if (above === undefined) {
    return badPath(spec, `needs its parent "${parent}"`, "Name that queue too.");
  }
  for (const { limit } of QUOTA_FIELDS) {
    const [own, most] = [spec[limit], above[limit]];
    if (own === null || most === null || own <= most) continue;
    const rule = `is over the ${QUEUE_WORDS[limit]} of ${queueValueText(limit, most)} of ${parent}`;
    return invalid(spec, limit, rule, `Lower it, or raise that of ${parent}.`);
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
    if (sum <= (parent[guarantee] ?? 0)) continue;
    const total = queueValueText(guarantee, sum);
    const rule = `is less than the ${total} that the queues below it are guaranteed`;
    return invalid(parent, guarantee, rule, `Raise it to ${total}, or lower theirs.`);
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
  const rule = `is the weight of all its siblings (${names}), which have no guarantee`;
  return invalid(first, "weight", rule, "Give one of them a weight or a guarantee.");
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
  for (const { spec } of state.active.values()) busy.add(spec.queue);
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

/** The field is told as `PATH: WORD`, so that a client finds it in the file that it read. */
function invalid(spec: QueueSpec, field: QueueField, rule: string, remedy: string): Refusal {
  const word = QUEUE_WORDS[field];
  const message = `Queue "${spec.path}": ${word} ${queueValueText(field, spec[field] ?? 0)} ${rule}.`;
  return refuse(
    "QUEUE_INVALID",
    message,
    `${remedy} Nothing was changed.`,
    `${spec.path}: ${word}`,
  );
}

function badPath({ path }: QueueSpec, rule: string, remedy: string): Refusal {
  const message = `Queue "${path}" ${rule}.`;
  return refuse("QUEUE_INVALID", message, `${remedy} Nothing was changed.`, `${path}: path`);
}

function notEmpty(path: QueuePath, what: string): Refusal {
  const message = `Queue "${path}" has jobs and ${what}.`;
  return refuse("QUEUE_NOT_EMPTY", message, "Cancel them, or wait until they have ended.", "path");
}
