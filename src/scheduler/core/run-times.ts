// How long jobs like this one took: what the planner and the estimates know about the future when
// nobody stated it. One histogram for each queue, user and name of past successes, and coarser ones
// to fall back on. Counts only, so that the same log teaches the same. Knows nothing of plans.

import { endOfQuarterOctave, quarterOctave } from "../../base/quarter-octave.ts";
import { SECOND_MS } from "../../base/time.ts";
import { type Identity, type JobSpec, userKey } from "./job.ts";

/** Run times of successful jobs, in seconds, by `quarterOctave`. */
export interface RunTimes {
  /** By bucket. */
  readonly counts: readonly number[];
  readonly total: number;
}

/** Fewer than this say nothing: the next coarser histogram is asked. */
export const RUN_TIMES_MIN = 5;
/** Beyond this all counts are halved, so that what is new outweighs what was. */
const TOTAL_MAX = 512;
/** Histograms kept; the one that was added to longest ago is forgotten. */
const KEYS_KEPT = 20_000;

/** Each job is asked for in every pass that looks ahead: its keys are made once. */
const keysMade = new WeakMap<JobSpec, { readonly owner: Identity; readonly keys: Keys }>();

type Keys = readonly string[];

/** Histograms that a job's end is counted in, the most telling first. */
function keysOf(spec: JobSpec, owner: Identity): Keys {
  const made = keysMade.get(spec);
  if (made?.owner === owner) return made.keys;
  const user = `${spec.queue}|${userKey(owner)}`;
  // Runs of one experiment are often numbered.
  const keys = [`${user}|${spec.name.replaceAll(/\d+/g, "#")}`, user, spec.queue];
  keysMade.set(spec, { owner, keys });
  return keys;
}

/** Counts a success that ran for `ranMs` in all its attempts. */
export function learnRunTime(
  known: Map<string, RunTimes>,
  spec: JobSpec,
  owner: Identity,
  ranMs: number,
): void {
  const bucket = bucketOf(ranMs);
  for (const key of keysOf(spec, owner)) {
    const counted = addTo(known.get(key), bucket);
    known.delete(key);
    known.set(key, counted);
  }
  for (const oldest of known.keys()) {
    if (known.size <= KEYS_KEPT) return;
    known.delete(oldest);
  }
}

/**
 * In how many milliseconds, from `ranMs` of running on, `permille` of the jobs like this one that
 * ran as long had ended; null when too few are known. At least a second.
 */
export function learnedRemainingMs(
  known: ReadonlyMap<string, RunTimes>,
  spec: JobSpec,
  owner: Identity,
  ranMs: number,
  permille: number,
): number | null {
  for (const key of keysOf(spec, owner)) {
    const times = known.get(key);
    const remainingMs = times === undefined ? null : remainingOf(times, ranMs, permille);
    if (remainingMs !== null) return remainingMs;
  }
  return null;
}

function remainingOf(times: RunTimes, ranMs: number, permille: number): number | null {
  const bucket = lastBucket(times, bucketOf(ranMs), permille);
  if (bucket === null) return null;
  return Math.max(SECOND_MS, endOfQuarterOctave(bucket) * SECOND_MS - ranMs);
}

/** By what was asked: jobs alike ask the same. A histogram is replaced, never changed. */
const lastBuckets = new WeakMap<RunTimes, Map<number, number | null>>();

/** The one by whose end `permille` of those have ended that reached the bucket `reached`. */
function lastBucket(times: RunTimes, reached: number, permille: number): number | null {
  let known = lastBuckets.get(times);
  if (known === undefined) lastBuckets.set(times, (known = new Map<number, number | null>()));
  const asked = reached * 1_001 + permille;
  let last = known.get(asked);
  if (last === undefined) known.set(asked, (last = findLastBucket(times, reached, permille)));
  return last;
}

function findLastBucket({ counts }: RunTimes, reached: number, permille: number): number | null {
  let longer = 0;
  for (let bucket = reached; bucket < counts.length; bucket += 1) longer += counts[bucket] ?? 0;
  if (longer < RUN_TIMES_MIN) return null;
  let ended = 0;
  for (let bucket = reached; bucket < counts.length; bucket += 1) {
    ended += counts[bucket] ?? 0;
    if (ended * 1_000 >= longer * permille) return bucket;
  }
  return counts.length;
}

function addTo(times: RunTimes | undefined, bucket: number): RunTimes {
  const counts = [...(times?.counts ?? [])];
  while (counts.length <= bucket) counts.push(0);
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  const total = (times?.total ?? 0) + 1;
  if (total <= TOTAL_MAX) return { counts, total };
  const halved = counts.map((count) => count >> 1);
  return { counts: halved, total: halved.reduce((sum, count) => sum + count, 0) };
}

const bucketOf = (ranMs: number): number => quarterOctave(Math.floor(ranMs / SECOND_MS));
