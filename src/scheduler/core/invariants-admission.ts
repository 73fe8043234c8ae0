// What must hold of gates, arrays and their indexes after every command and planning pass. Part of
// `invariants`, and like it with code of its own.

import type { JobId } from "../../base/ids.ts";
import { isEnded, type Gate, type Job, type JobArray } from "./job.ts";
import type { ClusterState } from "./state.ts";

const faultIf = (isBroken: boolean, fault: string): readonly string[] => (isBroken ? [fault] : []);

export function admissionFaults(state: ClusterState): readonly string[] {
  const jobs = [...state.jobs.values()];
  const elements = new Map<JobId, Job[]>([...state.arrays.keys()].map((id) => [id, []]));
  for (const job of jobs) if (job.array !== null) elements.get(job.array.id)?.push(job);
  return [
    ...jobs.flatMap((job) => jobFaults(state, job)),
    ...[...state.arrays.values()].flatMap((array) =>
      arrayFaults(array, elements.get(array.id) ?? []),
    ),
    ...waitFaults(state),
  ];
}

const isShut = ({ userHold, waitsFor }: Gate): boolean => userHold !== null || waitsFor.length > 0;

/** Nobody is kept back without a reason, or let through with one. */
function jobFaults(state: ClusterState, job: Job): readonly string[] {
  if (job.array !== null && !state.arrays.has(job.array.id)) return [`${job.id} has no array`];
  if (job.phase.kind !== "pending") return [];
  const whole = job.array === null ? undefined : state.arrays.get(job.array.id);
  const mustWait = isShut(job) || (whole !== undefined && isShut(whole));
  const isAdmitted = job.admittedAtMs !== null;
  return [
    ...faultIf(isAdmitted && mustWait, `${job.id} is admitted through a closed gate`),
    ...faultIf(!isAdmitted && !mustWait && whole === undefined, `${job.id} waits for nothing`),
  ];
}

function arrayFaults(array: JobArray, elements: readonly Job[]): readonly string[] {
  const { id, admittedCount, ended, forgottenCount, indexes } = array;
  const parallel = array.spec.array?.parallel ?? indexes.length;
  const live = elements.filter(({ phase }) => !isEnded(phase));
  const admitted = live.filter(({ admittedAtMs }) => admittedAtMs !== null);
  const isFull = admittedCount >= parallel;
  const left = live.filter((job) => job.admittedAtMs === null && job.userHold === null);
  const endedCount = ended.succeeded + ended.failed + ended.cancelled;
  const isCounted =
    elements.length + forgottenCount === indexes.length &&
    live.length + endedCount === indexes.length;
  return [
    ...faultIf(
      admitted.length !== admittedCount,
      `${id} has ${admitted.length} elements under way`,
    ),
    ...faultIf(admittedCount > parallel, `${id} has ${admittedCount} of ${parallel} under way`),
    ...faultIf(!isCounted, `${id} lost count of its elements`),
    ...faultIf(
      !isShut(array) && !isFull && left.length > 0,
      `${left[0]?.id} waits for its turn in ${id}, which has room`,
    ),
  ];
}

/** Nobody waits for what is over, and whoever waits is remembered. */
function waitFaults(state: ClusterState): readonly string[] {
  const faults: string[] = [];
  let waits = 0;
  const isOver = (id: JobId): boolean => {
    const array = state.arrays.get(id);
    if (array === undefined)
      return isEnded(state.jobs.get(id)?.phase ?? { kind: "succeeded", endedAtMs: 0 });
    const { succeeded, failed, cancelled } = array.ended;
    return succeeded + failed + cancelled === array.indexes.length;
  };
  for (const { id, waitsFor } of [...state.jobs.values(), ...state.arrays.values()]) {
    if (isOver(id)) continue;
    for (const { job: target } of waitsFor) {
      waits += 1;
      faults.push(...faultIf(isOver(target), `${id} waits for ${target}, which is over`));
      const isKnown = state.dependents.get(target)?.has(id) ?? false;
      faults.push(...faultIf(!isKnown, `${id} waits for ${target}, which does not know`));
    }
  }
  const known = [...state.dependents.values()].reduce((sum, ids) => sum + ids.size, 0);
  return [...faults, ...faultIf(known !== waits, `${known} waits are indexed, ${waits} are real`)];
}
