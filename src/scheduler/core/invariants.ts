// What must hold of every ClusterState after every event: each map and index held against the
// others. For tests and the simulator; slow on purpose, and with code of its own.

import type { JobId, QueuePath } from "../../base/ids.ts";
import { admissionFaults } from "./invariants-admission.ts";
import { pendingFaults } from "./invariants-pending.ts";
import { type Attempt, activeAttempt, isEnded, type Job } from "./job.ts";
import type { ClusterState, Node } from "./state.ts";

/** What is broken, one sentence each; empty = sound. */
export function invariants(state: ClusterState): readonly string[] {
  return [
    ...nodeFaults(state),
    ...attemptFaults(state),
    ...indexFaults(state),
    ...pendingFaults(state),
    ...queueFaults(state),
    ...userFaults(state),
    ...reservationFaults(state),
    ...admissionFaults(state),
    ...[...state.jobs.values()].flatMap(jobFaults),
  ];
}

const faultIf = (isBroken: boolean, fault: string): readonly string[] => (isBroken ? [fault] : []);

/** No GPU twice; every allocation is of a task that is alive in an active attempt. */
function nodeFaults(state: ClusterState): readonly string[] {
  const faults: string[] = [];
  for (const [id, node] of state.nodes) {
    faults.push(...faultIf(node.spec.id !== id, `node ${id} is filed as ${node.spec.id}`));
    const gpus = node.allocations.flatMap((held) => held.gpus);
    faults.push(
      ...faultIf(
        new Set(gpus).size !== gpus.length,
        `a GPU of ${id} is given twice: ${gpus.join()}`,
      ),
    );
    for (const { jobId, attempt, rank, gpus: held, resources } of node.allocations) {
      const job = state.jobs.get(jobId);
      const active = job === undefined ? null : activeAttempt(job.phase);
      const at = `${jobId}/${attempt}/${rank} on ${id}`;
      const isBacked =
        active?.number === attempt &&
        active.placement[rank]?.nodeId === id &&
        active.placement[rank]?.gpus.join() === held.join() &&
        active.tasks[rank]?.kind !== "ended";
      faults.push(...faultIf(!isBacked, `${at} is held by no live task`));
      faults.push(...faultIf(resources.gpus !== held.length, `${at} holds GPUs ${held.join()}`));
    }
    if (node.health === "up") faults.push(...roomFaults(node));
  }
  return faults;
}

function roomFaults(node: Node): readonly string[] {
  const { id, cpuMilli, memoryMib, gpus } = node.spec;
  const there = new Set(gpus.map(({ index }) => index));
  const held = node.allocations.map(({ resources }) => resources);
  const cpuHeld = held.reduce((sum, resources) => sum + resources.cpuMilli, 0);
  const memoryHeld = held.reduce((sum, resources) => sum + resources.memoryMib, 0);
  const gpusHeld = node.allocations.flatMap((allocation) => allocation.gpus);
  return [
    ...faultIf(cpuMilli > 0 && cpuHeld > cpuMilli, `the CPUs of ${id} are overcommitted`),
    ...faultIf(memoryMib > 0 && memoryHeld > memoryMib, `the memory of ${id} is overcommitted`),
    ...faultIf(!gpusHeld.every((gpu) => there.has(gpu)), `${id} lacks a GPU that is held there`),
  ];
}

/** Gangs are whole, and every live task holds what it was given. */
function attemptFaults(state: ClusterState): readonly string[] {
  const faults: string[] = [];
  for (const job of state.jobs.values()) {
    const attempt = activeAttempt(job.phase);
    if (attempt !== null) faults.push(...gangFaults(state, job, attempt));
  }
  return faults;
}

function gangFaults(state: ClusterState, job: Job, attempt: Attempt): readonly string[] {
  const { placement, tasks } = attempt;
  const faults: string[] = [];
  const isWhole = isSize(job, placement.length) && tasks.length === placement.length;
  const { nodes, nodesMin } = job.spec;
  faults.push(
    ...faultIf(!isWhole, `${job.id} has ${placement.length} tasks of ${nodesMin} to ${nodes}`),
  );
  const names = new Set(placement.map(({ nodeId }) => nodeId));
  faults.push(...faultIf(names.size !== placement.length, `${job.id} has two tasks on one node`));
  tasks.forEach((task, rank) => {
    const nodeId = placement[rank]?.nodeId;
    const held = nodeId === undefined ? [] : (state.nodes.get(nodeId)?.allocations ?? []);
    const own = held.filter((other) => other.jobId === job.id && other.rank === rank).length;
    const expected = task.kind === "ended" ? 0 : 1;
    faults.push(...faultIf(own !== expected, `${job.id} rank ${rank} is held ${own} times`));
  });
  const isLive = tasks.some(({ kind }) => kind !== "ended");
  return [...faults, ...faultIf(!isLive, `${job.id} is ${job.phase.kind} without a live task`)];
}

const isSize = ({ spec }: Job, nodes: number): boolean =>
  nodes >= spec.nodesMin && nodes <= spec.nodes;

function indexFaults(state: ClusterState): readonly string[] {
  const faults: string[] = [];
  const { pending, active, ended } = state;
  const indexed = { pending: pending.size, active: active.size, ended: ended.size };
  for (const [id, job] of state.active) {
    const isActive = job === state.jobs.get(id) && activeAttempt(job.phase) !== null;
    faults.push(...faultIf(!isActive, `${id} is not active, or not as it is indexed`));
  }
  for (const id of state.ended) {
    const job = state.jobs.get(id);
    const isOver = job !== undefined && isEnded(job.phase);
    faults.push(...faultIf(!isOver, `${id} is indexed as ended`));
  }
  const total = indexed.pending + indexed.active + indexed.ended;
  return [
    ...faults,
    ...faultIf(total !== state.jobs.size, `${state.jobs.size} jobs, ${total} of them indexed`),
  ];
}

function queueFaults(state: ClusterState): readonly string[] {
  const held = new Map<QueuePath, { gpus: number; cpuMilli: number; memoryMib: number }>();
  for (const path of state.queues.keys()) held.set(path, { gpus: 0, cpuMilli: 0, memoryMib: 0 });
  for (const node of state.nodes.values()) {
    for (const { jobId, resources } of node.allocations) {
      const queue = state.jobs.get(jobId)?.spec.queue ?? "";
      for (const [path, sum] of held) {
        if (queue !== path && !queue.startsWith(`${path}/`)) continue;
        sum.gpus += resources.gpus;
        sum.cpuMilli += resources.cpuMilli;
        sum.memoryMib += resources.memoryMib;
      }
    }
  }
  const faults: string[] = [...countFaults(state)];
  for (const [path, queue] of state.queues) {
    const { spec, allocated, usageAtMs } = queue;
    const sum = held.get(path);
    const isSame =
      sum?.gpus === allocated.gpus &&
      sum.cpuMilli === allocated.cpuMilli &&
      sum.memoryMib === allocated.memoryMib;
    faults.push(
      ...faultIf(!isSame, `${path} holds ${sum?.gpus} GPUs and counts ${allocated.gpus}`),
    );
    faults.push(...faultIf(spec.path !== path, `queue ${path} is filed as ${spec.path}`));
    const usage = [queue.usageGpuMs, queue.usageCoreMs, queue.usageGibMs];
    const isUsage = usage.every((one) => Number.isSafeInteger(one) && one >= 0);
    const isPast = isUsage && usageAtMs <= state.atMs;
    faults.push(...faultIf(!isPast, `${path}: usage ${usage.join()} at ${usageAtMs}`));
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const isRooted = parent === "" || [...state.queues.keys()].some((other) => other === parent);
    faults.push(...faultIf(!isRooted, `${path} has no parent`));
  }
  return faults;
}

/** What queues say that each user holds is what is allocated on the nodes. */
function userFaults(state: ClusterState): readonly string[] {
  const held = new Map<string, number>();
  for (const { allocations } of state.nodes.values()) {
    for (const { jobId, gpus } of allocations) {
      const job = state.jobs.get(jobId);
      const of = `${job?.spec.queue} ${job?.owner.user}@${job?.owner.tenant}`;
      held.set(of, (held.get(of) ?? 0) + gpus.length);
    }
  }
  const faults: string[] = [];
  for (const [path, { heldByUser }] of state.queues) {
    for (const [user, gpus] of heldByUser) {
      const of = `${path} ${user}`;
      const found = held.get(of) ?? 0;
      const isSame = gpus > 0 && found === gpus;
      faults.push(...faultIf(!isSame, `${of} holds ${found} GPUs and counts ${gpus}`));
      held.delete(of);
    }
  }
  for (const [of, gpus] of held) {
    faults.push(...faultIf(gpus > 0, `${of} holds ${gpus} GPUs and counts none`));
  }
  return faults;
}

/** What queues count is in the counters of the whole; deleted ones took theirs with them. */
function countFaults(state: ClusterState): readonly string[] {
  const counts = [...state.queues.values()].map((queue) => queue.counts);
  const names = ["submitted", "succeeded", "failed", "cancelled", "placements"] as const;
  return names.flatMap((name) => {
    const sum = counts.reduce((total, of) => total + of[name], 0);
    const isWithin = sum <= state.totals[name];
    return faultIf(!isWithin, `queues count ${sum} ${name}, the whole ${state.totals[name]}`);
  });
}

function isChangingSize({ phase }: Job): boolean {
  if (phase.kind !== "stopping" || phase.cause.kind !== "preempted") return false;
  return phase.cause.how === "shrink" || phase.cause.how === "grow";
}

/** Reservations are of jobs that wait or change their size, whole, and share no GPU. */
function reservationFaults(state: ClusterState): readonly string[] {
  const faults: string[] = [];
  const keptBy = new Map<string, JobId>();
  for (const [id, { jobId, placement }] of state.reservations) {
    const job = state.jobs.get(id);
    faults.push(...faultIf(jobId !== id, `the reservation of ${id} is filed as ${jobId}`));
    const isKept = job?.phase.kind === "pending" || (job !== undefined && isChangingSize(job));
    faults.push(...faultIf(!isKept, `${id} has a reservation and is not to be placed`));
    const isWhole = job !== undefined && isSize(job, placement.length);
    faults.push(...faultIf(!isWhole, `the reservation of ${id} is not whole`));
    for (const key of placement.flatMap(({ nodeId, gpus }) => gpus.map((gpu) => [nodeId, gpu]))) {
      const other = keptBy.get(key.join("/"));
      faults.push(
        ...faultIf(other !== undefined, `${key.join("/")} is kept for ${other} and ${id}`),
      );
      keptBy.set(key.join("/"), id);
    }
  }
  return faults;
}

/** Attempts only count up, times only go on. */
function jobFaults(job: Job): readonly string[] {
  const faults: string[] = [];
  let before = 0;
  const active = activeAttempt(job.phase);
  const numbers = [...job.history, ...(active === null ? [] : [active])].map(
    ({ number }) => number,
  );
  for (const number of numbers) {
    faults.push(...faultIf(number <= before, `${job.id}: attempt ${number} after ${before}`));
    before = number;
  }
  faults.push(
    ...faultIf(numbers.length > 0 && before !== job.attemptLast, `${job.id} at ${before}`),
  );
  for (const { number, placedAtMs, runningAtMs, endedAtMs, lostGpuMs } of job.history) {
    const isOrdered = placedAtMs <= (runningAtMs ?? endedAtMs) && placedAtMs <= endedAtMs;
    faults.push(...faultIf(!isOrdered, `${job.id}/${number} ends before it begins`));
    faults.push(...faultIf(lostGpuMs < 0, `${job.id}/${number} lost ${lostGpuMs}`));
  }
  const ids = new Set(job.checkpoints.map(({ id }) => id));
  return [
    ...faults,
    ...faultIf(ids.size !== job.checkpoints.length, `${job.id}: checkpoint twice`),
  ];
}
