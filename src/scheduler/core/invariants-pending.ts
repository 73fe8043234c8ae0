// What must hold of the index of pending jobs: it is the one that the jobs alone give. With code of its
// own, slow on purpose.

import type { JobId } from "../../base/ids.ts";
import type { Job } from "./job.ts";
import type { PendingJobs } from "./pending.ts";
import type { PendingGroup, PendingQueue } from "./pending-groups.ts";
import { forecastRemainingMs, usefulRunMs } from "./remaining-time.ts";
import { topologyOf } from "./shape.ts";
import type { ClusterState } from "./state.ts";

export function pendingFaults(state: ClusterState): readonly string[] {
  const expected = new Map<JobId, string>();
  const sums = new Map<string, number[]>();
  for (const job of state.jobs.values()) {
    if (job.phase.kind !== "pending") continue;
    expected.set(job.id, placeOf(job, job.phase.notBeforeMs, state));
    const tally = `${job.spec.queue} ${job.admittedAtMs === null}`;
    const sum = sums.get(tally) ?? [0, 0, 0, 0];
    const { gpus, cpuMilli, memoryMib } = job.spec.perNode;
    [1 / job.spec.nodesMin, gpus, cpuMilli, memoryMib].forEach((amount, at) => {
      sum[at] = Math.round((sum[at] ?? 0) + amount * job.spec.nodesMin);
    });
    sums.set(tally, sum);
  }
  const { pending } = state;
  const found = new Map<JobId, string>();
  for (const { id, eligibleFromMs } of pending.delayed)
    found.set(id, `delayed to ${eligibleFromMs}`);
  for (const id of pending.withheld()) found.set(id, "withheld");
  const faults: string[] = [...ownerFaults(state)];
  for (const [path, queue] of pending.queues()) {
    for (const isWithheld of [false, true]) {
      const { size, asked } = isWithheld ? queue.withheld : queue.admitted;
      const sum = [size, asked.gpus, asked.cpuMilli, asked.memoryMib].join();
      const isRight = (sums.get(`${path} ${isWithheld}`)?.join() ?? "0,0,0,0") === sum;
      if (!isRight) faults.push(`${path} counts ${sum} as pending, withheld: ${isWithheld}`);
    }
    faults.push(...groupFaults(path, queue, found, pending));
  }
  for (const [id, place] of expected) {
    const isThere = found.get(id) === place && pending.get(id) !== undefined;
    if (!isThere) faults.push(`${id} should be ${place} and is ${found.get(id)}`);
  }
  const admitted = pending.bySince.size + pending.withheldCount;
  const sizes = [found.size, pending.size, admitted, [...pending.ids()].length];
  const isSame = sizes.every((size) => size === expected.size);
  return isSame ? faults : [...faults, `${expected.size} are pending, indexed: ${sizes.join()}`];
}

function ownerFaults(state: ClusterState): readonly string[] {
  const waiting = [...state.jobs.values()].filter(({ phase }) => phase.kind === "pending");
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { owner } of waiting) {
    count(`tenant ${owner.tenant}`);
    count(`user ${owner.user}@${owner.tenant}`);
  }
  return [...state.jobs.values()].flatMap(({ owner }) => {
    const { tenant, user } = state.pending.countOf(owner);
    const name = `${owner.user}@${owner.tenant}`;
    const isRight =
      tenant === (counts.get(`tenant ${owner.tenant}`) ?? 0) &&
      user === (counts.get(`user ${name}`) ?? 0);
    return isRight ? [] : [`${name} counts ${user} waiting jobs, the tenant ${tenant}`];
  });
}

/** Notes where each job of the queue's groups is. */
function groupFaults(
  path: string,
  { classes }: PendingQueue,
  found: Map<JobId, string>,
  pending: PendingJobs,
): readonly string[] {
  const faults: string[] = [];
  for (const [name, { lines, kinds }] of classes) {
    const ofKind = new Map<PendingGroup["kind"], number>();
    for (const [owner, { groups }] of lines) {
      for (const group of groups.values()) {
        const { kind, attainedLevel, limitLevel, deadline, runsAs, jobs } = group;
        const { nodes, nodesMax, perNode, ...rest } = kind.shape;
        const due = deadline === null ? [] : [deadline.atMs, deadline.latestStartMs];
        const size = `${nodes} to ${nodesMax}`;
        const place = [path, name, owner, attainedLevel, limitLevel, due.join("-"), size, runsAs];
        const { gpus, cpuMilli, memoryMib } = perNode;
        const { gpuTypes, mixesGpuTypes, spot, topology } = rest;
        const how = JSON.stringify([gpuTypes, mixesGpuTypes, spot, topology]);
        const text = [...place, gpus, cpuMilli, memoryMib, how].join("|");
        const inOrder = [...jobs];
        ofKind.set(kind, (ofKind.get(kind) ?? 0) + inOrder.length);
        inOrder.forEach((entry, at) => {
          found.set(entry.id, text);
          if (pending.get(entry.id)?.kind !== kind) faults.push(`${entry.id} is told another kind`);
          const before = inOrder[at - 1];
          if (before === undefined || before.submittedAtMs < entry.submittedAtMs) return;
          const isAfter = before.submittedAtMs === entry.submittedAtMs && isYounger(entry, before);
          if (!isAfter) faults.push(`${entry.id} stands behind ${before.id}`);
        });
        if (inOrder.length === 0) faults.push(`${text} is an empty group`);
      }
    }
    for (const { kind, size } of kinds.values()) {
      if (ofKind.get(kind) !== size) faults.push(`${path}, ${name}: a kind counts ${size} jobs`);
    }
    if (ofKind.size !== kinds.size) faults.push(`${path}, ${name}: ${kinds.size} kinds`);
  }
  return faults;
}

const numberOf = (id: JobId): number => Number(id.replaceAll(/\D/g, ""));
const isYounger = (a: { readonly id: JobId }, b: { readonly id: JobId }): boolean =>
  numberOf(a.id) > numberOf(b.id);

/** Where a pending job belongs, in words. */
function placeOf(job: Job, notBeforeMs: number, { atMs: nowMs, queues }: ClusterState): string {
  if (job.admittedAtMs === null) return "withheld";
  if (notBeforeMs > nowMs) return `delayed to ${notBeforeMs}`;
  const { spec, owner, attainedGpuMs } = job;
  const { queue, priorityClass, nodes, nodesMin, perNode, timeLimitMs } = spec;
  const attained = levelOf(Math.floor(attainedGpuMs / 28_125));
  const limit = timeLimitMs === null ? null : Math.ceil(Math.log2(Math.ceil(timeLimitMs / 1_000)));
  const { deadlineMs } = spec;
  const due = deadlineMs === null ? "" : `${deadlineMs}-${deadlineMs - (timeLimitMs ?? 0)}`;
  const who = `${owner.user}@${owner.tenant}`;
  const size = `${nodesMin} to ${nodes}`;
  const isTold =
    job.forecast !== null && forecastRemainingMs(job, usefulRunMs(job, nowMs)) !== null;
  const isByName = queues.get(queue)?.spec.order === "shortest" && limit === null && !isTold;
  const like = isByName ? spec.name.replaceAll(/\d+/g, "#") : "";
  const place = [queue, priorityClass, who, attained, limit, due, size, like];
  const { gpuTypes, mixesGpuTypes, spot } = spec;
  const how = JSON.stringify([gpuTypes, mixesGpuTypes, spot, topologyOf(spec)]);
  return [...place, perNode.gpus, perNode.cpuMilli, perNode.memoryMib, how].join("|");
}

/** Four levels to each doubling, counted up from 1. */
function levelOf(units: number): number {
  let level = 0;
  for (let from = 1; from <= units; level += 1) {
    from = from < 4 ? from + 1 : from + 2 ** (Math.floor(Math.log2(from)) - 2);
  }
  return level;
}
