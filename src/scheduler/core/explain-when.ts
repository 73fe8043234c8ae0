// Explaining in sentences when a waiting job starts: what is known of the time, and whom it may ask to
// leave. The numbers are start-forecast.ts's and the planner's.

import { MINUTE_MS } from "../../base/time.ts";
import { forecastStart, type StartForecast } from "./start-forecast.ts";
import type { Hold } from "./hold.ts";
import type { Job } from "./job.ts";
import type { Eviction } from "./plan-types.ts";
import { previewPass } from "./preview.ts";
import type { ClusterState } from "./state.ts";
import { activeAttempt } from "./job.ts";
import { clock, duration, named } from "./wording.ts";
import { jobOf } from "./lookup.ts";
import { eligibleFromMs } from "./pending.ts";

/** When a job may start that waits; null = no time can be told for what it waits for. */
export interface Prospect {
  readonly forecast: StartForecast;
  /** What it may do then if it still waits; null = preempt nobody. */
  readonly preemption: { readonly fromMs: number; readonly evictions: readonly Eviction[] } | null;
}

/** Null for what no end of a running job brings nearer. */
export function prospectOf(
  state: ClusterState,
  job: Job,
  nowMs: number,
  hold: Hold,
): Prospect | null {
  if (job.phase.kind !== "pending" || job.admittedAtMs === null) return null;
  if (isForEver(hold)) return null;
  const fromMs = Math.max(nowMs, eligibleFromMs(job) ?? nowMs);
  const preemption = laterPreemption(state, job, fromMs);
  const seen = later(forecastStart(state, job.id, fromMs), fromMs - nowMs);
  return {
    forecast: preemption === null ? seen : bounded(seen, preemption, nowMs, state),
    preemption,
  };
}

function isForEver(hold: Hold): boolean {
  switch (hold.code) {
    case "EXCEEDS_CLUSTER":
    case "EXCEEDS_QUEUE_LIMIT":
    case "NO_MATCHING_GPU":
      return true;
    case "TOPOLOGY":
      return hold.scope === "ever";
    default:
      return false;
  }
}

/** Its patience ends: then it spares nobody whom it has a right over. */
function laterPreemption(state: ClusterState, job: Job, fromMs: number): Prospect["preemption"] {
  const { policy } = state;
  if (!policy.isPreemptionEnabled || job.phase.kind !== "pending") return null;
  if (state.reservations.has(job.id)) return null;
  const atMs = job.phase.sinceMs + policy.preemptionPatienceMs;
  if (atMs <= fromMs) return null;
  const preview = previewPass(state, job.id, atMs);
  if (preview.kind !== "reserves" || preview.evictions.length === 0) return null;
  return { fromMs: atMs, evictions: preview.evictions };
}

const later = (seen: StartForecast, byMs: number): StartForecast => ({
  ...seen,
  p50Ms: seen.p50Ms === null ? null : seen.p50Ms + byMs,
  p90Ms: seen.p90Ms === null ? null : seen.p90Ms + byMs,
  horizonMs: seen.horizonMs + byMs,
});

/** Whoever is asked has left when its grace ends. */
function bounded(
  seen: StartForecast,
  { fromMs, evictions }: NonNullable<Prospect["preemption"]>,
  nowMs: number,
  state: ClusterState,
): StartForecast {
  const graces = evictions.map(({ victim }) => jobOf(state, victim).spec.graceMs);
  const atMost = fromMs - nowMs + Math.max(...graces);
  const p50Ms = Math.min(seen.p50Ms ?? atMost, atMost);
  return { ...seen, p50Ms, p90Ms: Math.min(seen.p90Ms ?? atMost, atMost), gap: null };
}

/** One or two sentences. */
export function prospectLines(
  state: ClusterState,
  prospect: Prospect | null,
  nowMs: number,
): readonly string[] {
  if (prospect === null) return [];
  return [whenLine(state, prospect.forecast, nowMs), ...preemptionLines(prospect)];
}

function whenLine(state: ClusterState, seen: StartForecast, nowMs: number): string {
  const { p50Ms, p90Ms, gap, horizonMs } = seen;
  if (p50Ms !== null) {
    const late =
      p90Ms === null
        ? `it may also take longer than ${roughly(Math.max(p50Ms, horizonMs))}`
        : `with 90 % by ${roughly(p90Ms)} from now (${clock(nowMs + p90Ms)})`;
    return `It is likely to start in ${roughly(p50Ms)}, ${late}: ${basis(state)}.`;
  }
  switch (gap) {
    case "run_times":
      return `When it starts can't be told: ${basis(state)}.`;
    case "never":
      return "It would not start even if all that runs had ended.";
    default:
      return (
        `It does not start within the next ${roughly(horizonMs)}, as far as can be told; too much ` +
        "is ahead of it to say more."
      );
  }
}

/** From where the ends of what runs are known. */
function basis(state: ClusterState): string {
  let limited = 0;
  let unlimited = 0;
  for (const id of state.active) {
    const { phase, spec } = jobOf(state, id);
    if (activeAttempt(phase) === null || phase.kind === "stopping") continue;
    if (spec.timeLimitMs === null) unlimited += 1;
    else limited += 1;
  }
  const running = limited + unlimited;
  if (running === 0) return "nothing runs that is in its way";
  const known = state.runTimes.size > 0;
  if (unlimited > 0 && !known) {
    const who = limited === 0 ? "none" : `only ${limited} of ${running}`;
    return `no job of its kind has ended yet, and of what runs ${who} states a time limit`;
  }
  const limits = limited === 0 ? "" : ` and the time limits of ${limited} of ${running} that run`;
  return known
    ? `going by how long such jobs ran before${limits}`
    : `going by the ${limited === 1 ? "time limit of what runs" : `time limits of the ${limited} jobs that run`}`;
}

function preemptionLines({ preemption }: Prospect): readonly string[] {
  if (preemption === null) return [];
  const { fromMs, evictions } = preemption;
  const kinds = [...new Set(evictions.map(({ how }) => how))].join(", ");
  const victims = named(evictions.map(({ victim }) => victim));
  return [`From ${clock(fromMs)} on, if it still waits, it may preempt ${victims} (${kinds}).`];
}

/** To five minutes beyond an hour: nobody knows it better. */
function roughly(ms: number): string {
  const unit = ms < 60 * MINUTE_MS ? MINUTE_MS : 5 * MINUTE_MS;
  return ms < 2 * MINUTE_MS ? duration(ms) : duration(Math.ceil(ms / unit) * unit);
}
