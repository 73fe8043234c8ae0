// Job arrays: which jobs are theirs, and how they stand. An array is a submission, never placed
// itself; its elements are jobs like any other, with the numbers after its own.

import { assert, must } from "../../base/assert.ts";
import { type JobId, jobId } from "../../base/ids.ts";
import { parseIndexes } from "../../base/index-list.ts";
import { type ClusterEvent, jobOfEvent } from "./events.ts";
import type { Job, JobArray, JobSpec } from "./job.ts";
import type { ClusterState } from "./state.ts";

export const numberOfJob = (id: JobId): number => Number(id.slice("job-".length));
export const jobOfNumber = (number: number): JobId => jobId(`job-${number}`);

/** Of a validated spec that has an array. */
export function arrayIndexes(spec: JobSpec): readonly number[] {
  const indexes = parseIndexes(must(spec.array, "array of the spec").indexes);
  assert(typeof indexes !== "string", `the indexes of ${spec.name} were validated`);
  return indexes;
}

export const elementAt = ({ id }: Pick<JobArray, "id">, position: number): JobId =>
  jobOfNumber(numberOfJob(id) + 1 + position);

export const positionOf = ({ id }: Pick<JobArray, "id">, element: JobId): number =>
  numberOfJob(element) - numberOfJob(id) - 1;

/** By position. Some may be ended and forgotten. */
export const elementIds = (array: JobArray): readonly JobId[] =>
  array.indexes.map((_, position) => elementAt(array, position));

/** Those that the state has, by position. */
export function elementsOf(state: ClusterState, array: JobArray): readonly Job[] {
  return elementIds(array).flatMap((id) => state.jobs.get(id) ?? []);
}

export const endedCount = ({ ended }: JobArray): number =>
  ended.succeeded + ended.failed + ended.cancelled;

export const isArrayOver = (array: JobArray): boolean => endedCount(array) === array.indexes.length;

/** The jobs that an event is about: of an array that was submitted, all that it made. */
export function jobsOfEvent(event: ClusterEvent): readonly JobId[] {
  const id = jobOfEvent(event);
  if (event.kind !== "array.submitted") return id === null ? [] : [id];
  return arrayIndexes(event.spec).map((_, position) => elementAt({ id: event.jobId }, position));
}
