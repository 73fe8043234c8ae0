// How long jobs like this one took: what the planner and the estimates know about the future when
// nobody stated it. One histogram for each queue, user and name of past successes, and coarser ones
// to fall back on. Counts only, so that the same log teaches the same. Knows nothing of plans.

import {
  addToHistogram,
  countFrom,
  leastPerEnd,
  type Histogram,
  mergeHistograms,
  quantileBound,
  quantileWithin,
} from "../../base/histogram.ts";
import { endOfQuarterOctave, quarterOctave } from "../../base/quarter-octave.ts";
import { SECOND_MS } from "../../base/time.ts";
import { type Identity, type JobSpec, userKey } from "./job.ts";

/** Run times of successful jobs, in seconds. */
export type RunTimes = Histogram;

/** Fewer than this say nothing: the next coarser histogram is asked. */
export const RUN_TIMES_MIN = 5;
/** A bargain looks for the best of many: of few it finds what is chance. */
const BARGAIN_MIN = 20;
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
  const keys = keysFor({ queue: spec.queue, ownerKey: userKey(owner), runsAs: runsAs(spec) });
  keysMade.set(spec, { owner, keys });
  return keys;
}

/** Whose run times are told apart. */
export interface RunsLike {
  readonly queue: string;
  readonly ownerKey: string;
  /** See `runsAs`; empty = any name. */
  readonly runsAs: string;
}

function keysFor({ queue, ownerKey, runsAs: name }: RunsLike): Keys {
  const user = `${queue}|${ownerKey}`;
  return [...(name === "" ? [] : [`${user}|${name}`]), user, queue];
}

/** Runs of one experiment are often numbered. */
export const runsAs = ({ name }: Pick<JobSpec, "name">): string => name.replaceAll(/\d+/g, "#");

/** Counts a success that ran for `ranMs` in all its attempts. */
export function learnRunTime(
  known: Map<string, RunTimes>,
  spec: JobSpec,
  owner: Identity,
  ranMs: number,
): void {
  for (const key of keysOf(spec, owner)) {
    const counted = addToHistogram(known.get(key), secondsOf(ranMs), TOTAL_MAX);
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
  const bound = firstBound(known, keysOf(spec, owner), secondsOf(ranMs), permille);
  return bound === null ? null : Math.max(SECOND_MS, bound * SECOND_MS - ranMs);
}

/** See `boundOf`; by the most telling of these of which enough is known. */
function firstBound(
  known: ReadonlyMap<string, RunTimes>,
  keys: Keys,
  ranSeconds: number,
  permille: number,
): number | null {
  for (const key of keys) {
    const times = known.get(key);
    const bound = times === undefined ? null : boundOf(times, ranSeconds, permille);
    if (bound !== null) return bound;
  }
  return null;
}

/** By what was asked: jobs alike ask the same. A histogram is replaced, never changed. */
const boundsFound = new WeakMap<RunTimes, Map<number, number | null>>();

/** Within how many seconds `permille` of those had ended that ran as long; null = too few did. */
function boundOf(times: RunTimes, ranSeconds: number, permille: number): number | null {
  let known = boundsFound.get(times);
  if (known === undefined) boundsFound.set(times, (known = new Map<number, number | null>()));
  const asked = quarterOctave(ranSeconds) * 1_001 + permille;
  let bound = known.get(asked);
  if (bound === undefined) {
    const isEnough = countFrom(times, ranSeconds) >= RUN_TIMES_MIN;
    known.set(asked, (bound = isEnough ? quantileBound(times, ranSeconds, permille) : null));
  }
  return bound;
}

/** As `learnedRemainingMs`, of any job of these; in seconds. */
export function learnedSecondsLeft(
  known: ReadonlyMap<string, RunTimes>,
  like: RunsLike,
  ranSeconds: number,
  permille: number,
): number | null {
  const bound = firstBound(known, keysFor(like), ranSeconds, permille);
  return bound === null ? null : Math.max(1, bound - ranSeconds);
}

/**
 * By how long jobs like these ran: seconds of running, on average, for each that ends, if they go
 * on from `ranSeconds` for as long as pays best. Null when too few are known that ran as long.
 */
export function learnedSecondsPerEnd(
  known: ReadonlyMap<string, RunTimes>,
  like: RunsLike,
  ranSeconds: number,
): number | null {
  for (const key of keysFor(like)) {
    const times = known.get(key);
    if (times === undefined || countFrom(times, ranSeconds) < BARGAIN_MIN) continue;
    return leastPerEnd(times, ranSeconds);
  }
  return null;
}

/** Those of the jobs most like this one of whom enough ran as long; null when too few are known. */
export function learnedTimes(
  known: ReadonlyMap<string, RunTimes>,
  spec: JobSpec,
  owner: Identity,
  ranMs: number,
): RunTimes | null {
  for (const key of keysOf(spec, owner)) {
    const times = known.get(key);
    if (times !== undefined && isTelling(times, ranMs)) return times;
  }
  return null;
}

/** Did enough of them run for `ranMs`? */
export const isTelling = (times: RunTimes, ranMs: number): boolean =>
  countFrom(times, secondsOf(ranMs)) >= RUN_TIMES_MIN;

/** Those of all queues together. */
export function mergeTimes(known: ReadonlyMap<string, RunTimes>): RunTimes {
  const ofQueues = [...known].filter(([key]) => !key.includes("|"));
  return mergeHistograms(ofQueues.map(([, times]) => times));
}

/**
 * As `learnedRemainingMs`, but a time to reckon with, where that is one to promise. Enough of `times`
 * must have run as long.
 */
export function drawRemainingMs(times: RunTimes, ranMs: number, permille: number): number {
  const endMs = quantileWithin(times, secondsOf(ranMs), permille) * SECOND_MS;
  return Math.max(SECOND_MS, Math.floor(endMs - ranMs));
}

/** Run time from which a job that has run for `ranMs` is likened to fewer others. */
export const nextLikenedMs = (ranMs: number): number =>
  endOfQuarterOctave(quarterOctave(secondsOf(ranMs))) * SECOND_MS;

const secondsOf = (ranMs: number): number => Math.floor(ranMs / SECOND_MS);
