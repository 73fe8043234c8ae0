// Standing reservations at the start of a pass: started when all of it is free, kept while it can
// still come true, dropped when it can't.

import type { DropReason } from "./events.ts";
import { hasHostRoom, type NodePool } from "./fit.ts";
import type { Job } from "./job.ts";
import type { Pass } from "./pass.ts";
import { futureUse, type QueueNode } from "./queue-tree.ts";
import type { Reservation } from "./state.ts";

/**
 * Call after every eviction that has another reason, before anything is started. A dropped job is
 * looked at again like any other in the same pass.
 */
export function takeUpReservations(pass: Pass): void {
  for (const reservation of pass.state.reservations.values()) {
    const job = pass.state.jobs.get(reservation.jobId);
    const why = job === undefined ? "job_ended" : dropReason(pass, job, reservation);
    if (job === undefined || why !== null) drop(pass, reservation, why);
    else takeUp(pass, job, reservation);
  }
}

function drop(pass: Pass, { jobId }: Reservation, why: DropReason | null): void {
  pass.drops.push({ jobId, why: why ?? "job_ended" });
}

function dropReason(pass: Pass, job: Job, { placement }: Reservation): DropReason | null {
  if (job.phase.kind !== "pending") return "job_ended";
  if (placement.some(({ nodeId }) => pass.later.slot(nodeId)?.isOffered !== true)) {
    return "node_gone";
  }
  const { gpus } = pass.shape(job.spec);
  const { lineage } = pass.tree.queue(job.spec.queue);
  if (lineage.some((queue) => isOverLimit(queue, futureUse(queue) + gpus))) return "replanned";
  return isRoom(pass.later, job, placement) ? null : "replanned";
}

function takeUp(pass: Pass, job: Job, { placement, victims }: Reservation): void {
  const isFree = isRoom(pass.open, job, placement) && isWithinLimits(pass, job);
  pass.reserve(job, { placement, victims });
  if (isFree) pass.startReserved(job, placement);
}

/** What still runs counts in full; other reservations have not started yet. */
function isWithinLimits(pass: Pass, job: Job): boolean {
  const { gpus } = pass.shape(job.spec);
  const { lineage } = pass.tree.queue(job.spec.queue);
  return !lineage.some((queue) => isOverLimit(queue, queue.allocated + gpus));
}

const isOverLimit = ({ spec }: QueueNode, gpus: number): boolean =>
  spec.limit !== null && gpus > spec.limit;

function isRoom(pool: NodePool, job: Job, placement: Reservation["placement"]): boolean {
  return placement.every(({ nodeId, gpus }) => {
    const slot = pool.slot(nodeId);
    if (slot === undefined || !hasHostRoom(slot, job.spec.perNode)) return false;
    return gpus.every((gpu) => slot.banks.some((bank) => bank.free.includes(gpu)));
  });
}
