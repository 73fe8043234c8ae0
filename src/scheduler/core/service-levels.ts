// Amounts of service, had or to come, in levels that are coarse enough for jobs to share: what groups of
// pending jobs are made by. Knows no policy.

import { endOfQuarterOctave, quarterOctave, WHOLE_MAX } from "../../base/quarter-octave.ts";
import { HOUR_MS, SECOND_MS } from "../../base/time.ts";
import type { Attempt, Job, JobSpec } from "./job.ts";
import { forecastRemainingMs, usefulRunMs } from "./remaining-time.ts";

/** GPU time in which levels are counted: 28.125 GPU seconds, so that an hour begins a level. */
const ATTAINED_UNIT_GPU_MS = HOUR_MS / 128;

/** Levels of attained GPU time, each about a fifth above the one before; 0 = less than a unit. */
export function attainedLevelOf(attainedGpuMs: number): number {
  return quarterOctave(Math.floor(attainedGpuMs / ATTAINED_UNIT_GPU_MS));
}

/** The least GPU time of a level. */
export const beginOfAttainedLevel = (level: number): number =>
  level === 0 ? 0 : endOfQuarterOctave(level - 1) * ATTAINED_UNIT_GPU_MS;

/**
 * GPU time that counts for the level of a job with a place, without what it has had in that place.
 * Who waited for it beyond `las_aging` counted as new, and goes on from there: else the next pass
 * would take the place away again.
 */
export function countedGpuMs(job: Job, { placedAtMs }: Attempt, lasAgingMs: number): number {
  const { submittedAtMs, admittedAtMs, spec, history, attainedGpuMs } = job;
  const waitedFromMs = Math.max(
    submittedAtMs,
    admittedAtMs ?? 0,
    spec.beginAtMs ?? 0,
    history.at(-1)?.endedAtMs ?? 0,
  );
  return placedAtMs - waitedFromMs > lasAgingMs ? 0 : attainedGpuMs;
}

/** A job with level n ends within 2 ** n seconds; null = nobody knows. */
export function limitLevelOf({ timeLimitMs }: JobSpec): number | null {
  if (timeLimitMs === null) return null;
  const seconds = Math.min(WHOLE_MAX, Math.ceil(timeLimitMs / SECOND_MS));
  return 32 - Math.clz32(Math.max(0, seconds - 1));
}

/** A job with level n is forecast to end within `endOfQuarterOctave(n)` seconds of running. */
export function forecastLevelOf(job: Job): number | null {
  const leftMs = forecastRemainingMs(job, usefulRunMs(job, 0));
  return leftMs === null ? null : quarterOctave(Math.floor(leftMs / SECOND_MS));
}

export interface RunLevels {
  /** See `limitLevelOf`; null = without a time limit. */
  readonly limitLevel: number | null;
  /** See `forecastLevelOf`; null = nobody said. */
  readonly forecastLevel: number | null;
}

/** Within so many seconds of running the jobs of the group will have ended; null = nobody said. */
export function secondsLeftOf({ forecastLevel, limitLevel }: RunLevels): number | null {
  const forecast = forecastLevel === null ? null : endOfQuarterOctave(forecastLevel);
  if (limitLevel === null) return forecast;
  return Math.min(2 ** limitLevel, forecast ?? Number.MAX_SAFE_INTEGER);
}
