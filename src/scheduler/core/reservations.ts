// Standing reservations: taken up when a pass begins, unless they can't come true any more, and
// started when it ends, if all of it is free and nobody with a better right has taken it over.

import type { DropReason } from "./events.ts";
import { hasHostRoom, type NodePool } from "./fit.ts";
import { isResize, type Job } from "./job.ts";
import { eligibleFromMs } from "./pending.ts";
import type { Keeping, Pass } from "./pass.ts";
import { isOverLimitLater, isOverLimitNow } from "./quota.ts";
import { shapeOf, sizedTo } from "./shape.ts";
import { keepsRules } from "./sites.ts";
import type { Reservation } from "./state.ts";

/**
 * Call after every eviction that has another reason, before anything is started. A job whose
 * reservation is dropped is looked at again like any other in the same pass.
 */
export function takeUpReservations(pass: Pass): void {
  for (const reservation of pass.state.reservations.values()) {
    const job = pass.state.jobs.get(reservation.jobId);
    const why = job === undefined ? "job_ended" : dropReason(pass, job, reservation);
    if (job !== undefined && why === null) pass.reserve(job, reservation);
    else pass.drops.push({ jobId: reservation.jobId, why: why ?? "job_ended" });
  }
}

/**
 * Starts every reservation whose room and quota are free by now. Who is to change its size has to
 * have ended first, with its last checkpoint committed.
 */
export function startReservations(pass: Pass): void {
  for (const keeping of pass.reserved.values()) {
    const { job, placement } = keeping;
    if (pass.isLeaving(job.id) || (eligibleFromMs(job) ?? 0) > pass.nowMs) continue;
    if (isRoom(pass.raw, job, placement) && isWithinLimits(pass, keeping))
      pass.startReserved(keeping);
  }
}

function dropReason(pass: Pass, job: Job, { placement }: Reservation): DropReason | null {
  const spec = sizedTo(job.spec, placement.length);
  const { phase } = job;
  const isChanging = phase.kind === "stopping" && isResize(phase.cause);
  if (phase.kind !== "pending" && !isChanging) return "job_ended";
  if (placement.some(({ nodeId }) => pass.later.slot(nodeId)?.isOffered !== true)) {
    return "node_gone";
  }
  if (!keepsRules(pass.later, shapeOf(spec), placement)) return "node_gone";
  if (isOverLimitLater(pass.tree.queue(spec.queue), spec)) return "limit_lowered";
  // What it holds already counts for its owner.
  const isOver = !isChanging && pass.owners.reached(job.owner, shapeOf(spec).gpus) !== null;
  if (isOver) return "limit_lowered";
  return isRoom(pass.later, job, placement) ? null : "replanned";
}

/** What still runs counts in full; other reservations have not started yet. */
function isWithinLimits(pass: Pass, { job, placement }: Keeping): boolean {
  const { queue, perNode } = job.spec;
  return !isOverLimitNow(pass.tree.queue(queue), { nodes: placement.length, perNode });
}

function isRoom(pool: NodePool, job: Job, placement: Reservation["placement"]): boolean {
  return placement.every(({ nodeId, gpus }) => {
    const slot = pool.slot(nodeId);
    if (slot === undefined || !hasHostRoom(slot, job.spec.perNode)) return false;
    return gpus.every((gpu) => slot.banks.some((bank) => bank.free.includes(gpu)));
  });
}
