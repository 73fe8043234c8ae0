// How long a job still has to run, as far as anybody knows: the one answer for the planner's
// reservations, the order `shortest` and the estimates. Reads the state, decides nothing.

import { SECOND_MS } from "../../base/time.ts";
import { activeAttempt, type Job } from "./job.ts";
import { learnedRemainingMs, nextLikenedMs, type RunTimes } from "./run-times.ts";

/** Of ten jobs like it, nine end by then: a promise is kept more often than not. */
export const SAFE_PERMILLE = 900;

/** See `ClusterState.runTimes`. */
interface Known {
  readonly runTimes: ReadonlyMap<string, RunTimes>;
}

/**
 * In how many milliseconds of running the job is expected to end; one that waits is taken as if it
 * started now. A forecast counts most; else the time within which `permille` of the jobs like this
 * one ended that ran as long as it has by now. Not later than its time limit, at least a second;
 * null when nobody knows.
 */
export function expectedRemainingMs(
  state: Known,
  job: Job,
  nowMs: number,
  permille: number,
): number | null {
  const { spec, owner } = job;
  const ranMs = usefulRunMs(job, nowMs);
  const known =
    forecastRemainingMs(job, ranMs) ??
    learnedRemainingMs(state.runTimes, spec, owner, ranMs, permille);
  const leftMs = limitLeftMs(job, nowMs);
  return known === null || leftMs === null ? (known ?? leftMs) : Math.min(known, leftMs);
}

/** Guesses that are looked at: who finds none by then looks again at the last. */
const GUESSES_MAX = 8;

/**
 * The first moment before `beforeMs` (null = at any time) at which `isMet` may begin to hold, as
 * more is expected of a running job than before though nothing happens: it outruns what was said of
 * it, or most of the jobs that it was likened to. Between these moments ever less is left of it.
 * Null = none.
 */
export function nextGuessAtMs(
  known: Known,
  job: Job,
  nowMs: number,
  isMet: (atMs: number) => boolean,
  beforeMs: number | null,
): number | null {
  let atMs = guessAfterMs(known, job, nowMs);
  for (let looked = 1; atMs !== null; looked += 1) {
    if (beforeMs !== null && atMs >= beforeMs) return null;
    if (looked === GUESSES_MAX || isMet(atMs)) return atMs;
    atMs = guessAfterMs(known, job, atMs);
  }
  return null;
}

function guessAfterMs({ runTimes }: Known, job: Job, nowMs: number): number | null {
  if ((activeAttempt(job.phase)?.runningAtMs ?? null) === null) return null;
  const ranMs = usefulRunMs(job, nowMs);
  if (job.forecast !== null && forecastRemainingMs(job, ranMs) !== null) {
    return nowMs + job.forecast.remainingMs + job.forecast.ranMs - ranMs + 1;
  }
  const isLikened =
    learnedRemainingMs(runTimes, job.spec, job.owner, ranMs, SAFE_PERMILLE) !== null;
  return isLikened ? nowMs + nextLikenedMs(ranMs) - ranMs : null;
}

/** Until its time limit, at least a second; null = it has none. */
export function limitLeftMs(job: Job, nowMs: number): number | null {
  const { timeLimitMs } = job.spec;
  if (timeLimitMs === null) return null;
  return Math.max(SECOND_MS, timeLimitMs - attemptRanMs(job, nowMs));
}

/** Null where nobody said, and once it has run for longer than was said: then it was wrong. */
export function forecastRemainingMs({ forecast }: Job, ranMs: number): number | null {
  if (forecast === null) return null;
  const leftMs = forecast.remainingMs + forecast.ranMs - ranMs;
  return leftMs < 0 ? null : Math.max(SECOND_MS, leftMs);
}

/** What its attempts ran up to now, without what was, or is to be, done twice. */
export function usefulRunMs(job: Job, nowMs: number): number {
  const { gpus } = job.spec.perNode;
  let usefulMs = attemptRanMs(job, nowMs);
  for (const { runningAtMs, endedAtMs, lostGpuMs, placement } of job.history) {
    if (runningAtMs === null) continue;
    usefulMs += endedAtMs - runningAtMs;
    usefulMs -= Math.floor(lostGpuMs / Math.max(1, gpus * placement.length));
  }
  return Math.max(0, usefulMs);
}

/** What its attempt has run up to now; 0 while it does not run. */
export function attemptRanMs({ phase }: Job, nowMs: number): number {
  const runningAtMs = activeAttempt(phase)?.runningAtMs ?? null;
  return runningAtMs === null ? 0 : nowMs - runningAtMs;
}
