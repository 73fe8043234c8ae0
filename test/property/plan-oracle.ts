// Slow and simple answers to what a plan claims, with code that shares nothing with the planner.

import { must } from "../../src/base/assert.ts";
import type { JobId } from "../../src/base/ids.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import type { JobSpec } from "../../src/scheduler/core/job.ts";
import type { ClusterState, Node, QueueSpec } from "../../src/scheduler/core/state.ts";

interface Taken {
  /** `node/gpu` that nobody may use. */
  readonly gpus: Set<string>;
  readonly cpuMilli: Map<string, number>;
}

/** Would the pending job fit on what nobody holds and nobody is promised? */
export function fitsAnyway(state: ClusterState, id: JobId): boolean {
  const taken: Taken = { gpus: new Set(), cpuMilli: new Map() };
  takeHeld(state, taken, () => true);
  for (const { jobId, placement } of state.reservations.values()) {
    take(state, taken, jobId, placement);
  }
  return isRoom(state, taken, id);
}

/**
 * Victims without whom their preemptor would have fitted just as well; and nodes of elastic jobs that
 * shrink, likewise.
 */
export function spareVictims(state: ClusterState, plan: Plan): readonly string[] {
  const spare: string[] = [];
  for (const { victim, preemptor, next } of plan.evictions) {
    if (preemptor === null) continue;
    const held = heldBy(state, victim);
    const gives = held.filter(({ nodeId }) => !next.some((task) => task.nodeId === nodeId));
    for (const stays of next.length === 0 ? [held] : gives.map((task) => [task])) {
      if (!fitsWith(state, plan, { victim, preemptor, stays })) continue;
      const where = stays.map(({ nodeId }) => nodeId).join(", ");
      spare.push(`${preemptor} fits though ${victim} stays on ${where}`);
    }
  }
  return spare;
}

function heldBy(state: ClusterState, id: JobId): readonly Task[] {
  return [...state.nodes].flatMap(([nodeId, { allocations }]) =>
    allocations.filter(({ jobId }) => jobId === id).map(({ gpus }) => ({ nodeId, gpus })),
  );
}

interface Sparing {
  readonly victim: JobId;
  readonly preemptor: JobId;
  /** Beside what the victim goes on with. */
  readonly stays: readonly Task[];
}

/** Holding against the preemptor all that the plan did for others, whenever in the pass it was. */
function fitsWith(state: ClusterState, plan: Plan, { victim, preemptor, stays }: Sparing): boolean {
  const lastOfOurs = plan.evictions.findLastIndex((one) => one.preemptor === preemptor);
  const leaving = new Set(plan.evictions.slice(0, lastOfOurs + 1).map((one) => one.victim));
  const isStaying = (id: JobId): boolean =>
    !leaving.has(id) && state.jobs.get(id)?.phase.kind !== "stopping";
  const taken: Taken = { gpus: new Set(), cpuMilli: new Map() };
  takeHeld(state, taken, isStaying);
  const others = promises(state, plan, preemptor);
  const promised = [...others, { jobId: victim, placement: stays }];
  for (const { jobId, placement } of promised) take(state, taken, jobId, placement);
  return isRoom(state, taken, preemptor) && isWithinLimits(state, preemptor, promised, isStaying);
}

interface Task {
  readonly nodeId: string;
  readonly gpus: readonly number[];
}

interface Promised {
  readonly jobId: JobId;
  readonly placement: readonly Task[];
}

/**
 * What others are promised. A reservation that was taken over for somebody else may have stood when
 * the preemptor looked for room.
 */
function promises(state: ClusterState, plan: Plan, preemptor: JobId): readonly Promised[] {
  const coming = [...plan.reservations, ...plan.starts];
  const own = coming.filter(({ jobId }) => jobId === preemptor).flatMap((one) => one.placement);
  const isOurs = ({ placement }: Promised): boolean =>
    placement.some(({ nodeId, gpus }) =>
      own.some((task) => task.nodeId === nodeId && task.gpus.some((gpu) => gpus.includes(gpu))),
    );
  const dropped = new Map(plan.drops.map(({ jobId, why }) => [jobId, why]));
  const started = new Set(plan.starts.map(({ jobId }) => jobId));
  const standing = [...state.reservations.values()].filter((reservation) => {
    const why = dropped.get(reservation.jobId);
    if (started.has(reservation.jobId)) return false;
    return why === undefined || (why === "outranked" && !isOurs(reservation));
  });
  return [...standing, ...coming].filter(({ jobId }) => jobId !== preemptor);
}

function isWithinLimits(
  state: ClusterState,
  preemptor: JobId,
  others: readonly Promised[],
  isStaying: (id: JobId) => boolean,
): boolean {
  const { queue: path, nodesMin, perNode } = must(state.jobs.get(preemptor), preemptor).spec;
  for (const { spec } of state.queues.values()) {
    if (path !== spec.path && !path.startsWith(`${spec.path}/`)) continue;
    const isBelow = (id: JobId): boolean =>
      `${state.jobs.get(id)?.spec.queue}/`.startsWith(`${spec.path}/`);
    for (const [kind, limit] of limitsOf(spec)) {
      if (limit === null || perNode[kind] === 0) continue;
      let use = nodesMin * perNode[kind];
      for (const { jobId, placement } of others) {
        const each = state.jobs.get(jobId)?.spec.perNode[kind] ?? 0;
        if (isBelow(jobId)) use += placement.length * each;
      }
      use += heldBelow(state, kind, (id) => isBelow(id) && isStaying(id));
      if (use > limit) return false;
    }
  }
  return true;
}

type Kind = "gpus" | "cpuMilli" | "memoryMib";

/** What a queue never goes over: its limits, and its guarantee with what it may borrow. */
function limitsOf(spec: QueueSpec): readonly (readonly [Kind, number | null])[] {
  const { guarantee, borrowingLimit, limit, limitCpuMilli, limitMemoryMib } = spec;
  const borrowed = borrowingLimit === null ? null : guarantee + borrowingLimit;
  const gpus = borrowed === null ? limit : Math.min(borrowed, limit ?? borrowed);
  return [
    ["gpus", gpus],
    ["cpuMilli", limitCpuMilli],
    ["memoryMib", limitMemoryMib],
  ];
}

function heldBelow(state: ClusterState, kind: Kind, isMeant: (id: JobId) => boolean): number {
  let held = 0;
  for (const { allocations } of state.nodes.values()) {
    for (const { jobId, resources } of allocations) if (isMeant(jobId)) held += resources[kind];
  }
  return held;
}

/** Limits of queues that are broken where the plan, which has been carried out, started something. */
export function limitsBroken(state: ClusterState, { starts }: Plan): readonly string[] {
  const broken: string[] = [];
  const started = starts.flatMap(({ jobId }) => state.jobs.get(jobId)?.spec ?? []);
  for (const { spec } of state.queues.values()) {
    const own = started.filter(({ queue }) => `${queue}/`.startsWith(`${spec.path}/`));
    for (const [kind, limit] of limitsOf(spec)) {
      if (limit === null || !own.some(({ perNode }) => perNode[kind] > 0)) continue;
      const use = heldBelow(state, kind, (id) => {
        return `${state.jobs.get(id)?.spec.queue}/`.startsWith(`${spec.path}/`);
      });
      if (use > limit) broken.push(`${spec.path} holds ${use} ${kind} of ${limit}`);
    }
  }
  return broken;
}

function takeHeld(state: ClusterState, taken: Taken, isStaying: (id: JobId) => boolean): void {
  for (const [nodeId, node] of state.nodes) {
    for (const { jobId, gpus } of node.allocations) {
      if (isStaying(jobId)) take(state, taken, jobId, [{ nodeId, gpus }]);
    }
  }
}

function take(
  state: ClusterState,
  { gpus: all, cpuMilli }: Taken,
  id: JobId,
  placement: readonly Task[],
): void {
  const cpu = state.jobs.get(id)?.spec.perNode.cpuMilli ?? 0;
  for (const { nodeId, gpus } of placement) {
    for (const gpu of gpus) all.add(`${nodeId}/${gpu}`);
    cpuMilli.set(nodeId, (cpuMilli.get(nodeId) ?? 0) + cpu);
  }
}

/** Tries every set of nodes and types on which the gang might stand. */
function isRoom(state: ClusterState, taken: Taken, id: JobId): boolean {
  const spec = state.jobs.get(id)?.spec;
  if (spec === undefined) return false;
  const nodes = [...state.nodes.values()].filter(
    ({ health, schedulability, spec: { labels } }) =>
      health === "up" &&
      schedulability === "open" &&
      !(spec.spot === "avoid" && labels["trainyard.dev/spot"] === "true"),
  );
  const types = new Set(nodes.flatMap((node) => node.spec.gpus.map(({ type }) => type)));
  const wanted = [...types].filter((type) => isAsked(spec, type));
  const typeSets = spec.perNode.gpus === 0 ? [[]] : wanted.map((type) => [type]);
  if (spec.mixesGpuTypes) typeSets.push(wanted);
  const places = new Set(nodes.map((node) => placeOf(spec, node)).filter((place) => place !== ""));
  return typeSets.some((set) =>
    [...places].some((place) => {
      const there = nodes.filter((node) => placeOf(spec, node) === place);
      return there.filter((node) => canServe(spec, taken, node, set)).length >= spec.nodesMin;
    }),
  );
}

function isAsked({ gpuTypes }: JobSpec, type: string): boolean {
  const asked = gpuTypes.length === 0 ? [""] : gpuTypes;
  return asked.some((one) => {
    if (type.includes("MIG") && !one.toLowerCase().includes("mig")) return false;
    return type.toLowerCase().includes(one.toLowerCase());
  });
}

/** Nodes of one place may serve one gang; empty = none may. */
function placeOf({ topology, nodesMin }: JobSpec, { spec: { labels } }: Node): string {
  if (topology?.mode !== "required" || topology.level === "island" || nodesMin === 1) return "all";
  const block = labels["trainyard.dev/topology-block"] ?? "";
  const rack = labels["trainyard.dev/topology-rack"] ?? "";
  if (topology.level === "block") return block;
  return rack === "" ? "" : `${block}/${rack}`;
}

function canServe(
  { perNode: { gpus, cpuMilli }, topology }: JobSpec,
  taken: Taken,
  { spec }: Node,
  types: readonly string[],
): boolean {
  const cpuFree = spec.cpuMilli - (taken.cpuMilli.get(spec.id) ?? 0);
  if (cpuMilli > 0 && cpuMilli > cpuFree) return false;
  if (gpus === 0) return true;
  const isIsland = topology?.level === "island" && topology.mode === "required" && gpus > 1;
  const groups = new Map<string, number>();
  for (const { index, type, island } of spec.gpus) {
    if (taken.gpus.has(`${spec.id}/${index}`) || !types.includes(type)) continue;
    if (isIsland && island === "") continue;
    const group = isIsland ? `${type}/${island}` : type;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  return [...groups.values()].some((free) => free >= gpus);
}
