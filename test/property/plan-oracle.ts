// Slow and simple answers to what a plan claims, with code that shares nothing with the planner.

import type { JobId } from "../../src/base/ids.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import type { ClusterState } from "../../src/scheduler/core/state.ts";

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

/** Victims without whom their preemptor would have fitted just as well. */
export function spareVictims(state: ClusterState, plan: Plan): readonly string[] {
  const spare: string[] = [];
  for (const { victim, preemptor } of plan.evictions) {
    if (preemptor !== null && fitsWithout(state, plan, victim, preemptor)) {
      spare.push(`${preemptor} fits without the leaving of ${victim}`);
    }
  }
  return spare;
}

/** Holding against the preemptor all that the plan did for others, whenever in the pass it was. */
function fitsWithout(state: ClusterState, plan: Plan, victim: JobId, preemptor: JobId): boolean {
  const lastOfOurs = plan.evictions.findLastIndex((one) => one.preemptor === preemptor);
  const leaving = new Set(plan.evictions.slice(0, lastOfOurs + 1).map((one) => one.victim));
  leaving.delete(victim);
  const isStaying = (id: JobId): boolean =>
    !leaving.has(id) && state.jobs.get(id)?.phase.kind !== "stopping";
  const taken: Taken = { gpus: new Set(), cpuMilli: new Map() };
  takeHeld(state, taken, isStaying);
  const promised = promises(state, plan).filter(({ jobId }) => jobId !== preemptor);
  for (const { jobId, placement } of promised) take(state, taken, jobId, placement);
  const others = promised.map(({ jobId }) => jobId);
  return isRoom(state, taken, preemptor) && isWithinLimits(state, preemptor, others, isStaying);
}

function promises(state: ClusterState, plan: Plan): readonly Plan["starts"][number][] {
  const dropped = new Set(plan.drops.map(({ jobId }) => jobId));
  const started = new Set(plan.starts.map(({ jobId }) => jobId));
  const standing = [...state.reservations.values()].filter(
    ({ jobId }) => !dropped.has(jobId) && !started.has(jobId),
  );
  return [...standing, ...plan.reservations, ...plan.starts].map(({ jobId, placement }) => ({
    jobId,
    placement,
    resumeFrom: null,
  }));
}

function isWithinLimits(
  state: ClusterState,
  preemptor: JobId,
  others: readonly JobId[],
  isStaying: (id: JobId) => boolean,
): boolean {
  const gpusOf = (id: JobId): number => {
    const spec = state.jobs.get(id)?.spec;
    return spec === undefined ? 0 : spec.nodes * spec.perNode.gpus;
  };
  const path = state.jobs.get(preemptor)?.spec.queue ?? "";
  for (const { spec } of state.queues.values()) {
    if (spec.limit === null || (path !== spec.path && !path.startsWith(`${spec.path}/`))) continue;
    const isBelow = (id: JobId): boolean =>
      `${state.jobs.get(id)?.spec.queue}/`.startsWith(`${spec.path}/`);
    let use = gpusOf(preemptor);
    for (const id of others) if (isBelow(id)) use += gpusOf(id);
    for (const node of state.nodes.values()) {
      for (const { jobId, resources } of node.allocations) {
        if (isBelow(jobId) && isStaying(jobId)) use += resources.gpus;
      }
    }
    if (use > spec.limit) return false;
  }
  return true;
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
  placement: readonly { readonly nodeId: string; readonly gpus: readonly number[] }[],
): void {
  const cpu = state.jobs.get(id)?.spec.perNode.cpuMilli ?? 0;
  for (const { nodeId, gpus } of placement) {
    for (const gpu of gpus) all.add(`${nodeId}/${gpu}`);
    cpuMilli.set(nodeId, (cpuMilli.get(nodeId) ?? 0) + cpu);
  }
}

function isRoom(state: ClusterState, taken: Taken, id: JobId): boolean {
  const spec = state.jobs.get(id)?.spec;
  if (spec === undefined) return false;
  const { gpus, cpuMilli } = spec.perNode;
  let nodes = 0;
  for (const [nodeId, node] of state.nodes) {
    if (node.health !== "up" || node.schedulability !== "open") continue;
    const cpuFree = node.spec.cpuMilli - (taken.cpuMilli.get(nodeId) ?? 0);
    if (cpuMilli > 0 && cpuMilli > cpuFree) continue;
    const byType = new Map<string, number>();
    for (const { index, type } of node.spec.gpus) {
      if (taken.gpus.has(`${nodeId}/${index}`)) continue;
      const asked = spec.gpuTypes.length === 0 ? [""] : spec.gpuTypes;
      const isOf = (one: string): boolean => type.toLowerCase().includes(one.toLowerCase());
      if (!asked.some(isOf)) continue;
      byType.set(type, (byType.get(type) ?? 0) + 1);
    }
    if (gpus === 0 || [...byType.values()].some((free) => free >= gpus)) nodes += 1;
  }
  return nodes >= spec.nodes;
}
