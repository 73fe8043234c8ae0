// Explaining in sentences when a waiting job starts: what is known of the time, and whom it may ask to
// leave. The numbers are start-forecast.ts's and the planner's.

import { unreachable } from "../../base/assert.ts";
import { MINUTE_MS } from "../../base/time.ts";
import type { JobId } from "../../base/ids.ts";
import type { Turn } from "./forecast-turns.ts";
import type { StartForecast } from "./start-forecast.ts";
import type { Hold, Holds } from "./hold.ts";
import type { Job } from "./job.ts";
import type { Findings } from "./plan-types.ts";
import type { ClusterState } from "./state.ts";
import { activeAttempt } from "./job.ts";
import { clock, duration, named } from "./wording.ts";

/** What is known of starts, as it was worked out at `nowMs`. */
export interface Starts {
  readonly nowMs: number;
  /**
   * Of a job that waits and may be placed; null = nothing was known of its queue. `turn`: what it may
   * take from others; left out = as `turnOf` says.
   */
  of(job: Job, aheadCount: number, turn?: Turn | null): StartForecast | null;
  turnOf(id: JobId): Turn | null;
}

/** When a job may start that waits; null = no time can be told for what it waits for. */
export interface Prospect {
  readonly forecast: StartForecast;
  /** What it may do then if it still waits; null = preempt nobody. */
  readonly preemption: Turn | null;
}

/** The cluster at an instant, and what was known of starts a little before. */
export interface Moment {
  readonly state: ClusterState;
  readonly nowMs: number;
  /** Null = nothing is said of when jobs start. */
  readonly starts: Starts | null;
  /** By the last pass; null = there was none. */
  readonly left: Leftovers | null;
}

/** What a pass left to those who wait. */
export interface Leftovers extends Pick<Holds, "isRoomFor"> {
  /** Null = more has happened since than that others came to wait. Ask again when time has passed. */
  findings(): Findings | null;
}

export const leftoversOf = (
  holds: Pick<Holds, "isRoomFor">,
  findings: Leftovers["findings"],
): Leftovers => ({ isRoomFor: (...asked) => holds.isRoomFor(...asked), findings });

/** Null for what no end of a running job brings nearer. `aheadCount` = of its queue. */
export function prospectOf(
  { state, nowMs, starts }: Omit<Moment, "left">,
  job: Job,
  aheadCount: number,
  hold: Hold,
): Prospect | null {
  if (job.phase.kind !== "pending" || job.admittedAtMs === null || isForEver(hold)) return null;
  if (starts === null) return null;
  const turn = starts.turnOf(job.id);
  const forecast = starts.of(job, aheadCount, turn);
  if (forecast === null) return null;
  const isToCome = turn !== null && turn.fromMs > nowMs && areThere(state, turn);
  return {
    forecast: within(later(forecast, nowMs - starts.nowMs), hold, nowMs),
    preemption: isToCome ? turn : null,
  };
}

/** Who leaves for it has gone by then, whatever forecasts of its like were worth. */
function within(seen: StartForecast, hold: Hold, nowMs: number): StartForecast {
  if (hold.code !== "WAITING_FOR_PREEMPTED") return seen;
  const mostMs = Math.max(0, hold.deadlineMs - nowMs);
  const { p50Ms, p90Ms } = seen;
  return {
    p50Ms: Math.min(p50Ms ?? mostMs, mostMs),
    p90Ms: Math.min(p90Ms ?? mostMs, mostMs),
    gap: null,
    basis: "reserved",
  };
}

/** A victim may have ended by itself meanwhile. */
const areThere = (state: ClusterState, { evictions }: Turn): boolean =>
  evictions.every(({ victim }) => state.active.has(victim));

/** Does it wait for what no end of another job brings? */
export function isForEver(hold: Hold): boolean {
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

/** The same, told later. */
const later = (seen: StartForecast, byMs: number): StartForecast => ({
  ...seen,
  p50Ms: seen.p50Ms === null ? null : Math.max(0, seen.p50Ms - byMs),
  p90Ms: seen.p90Ms === null ? null : Math.max(0, seen.p90Ms - byMs),
});

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
  const { p50Ms, p90Ms, gap } = seen;
  if (p90Ms === 0) return `It is about to start: ${grounds(state, seen)}.`;
  if (p50Ms !== null) {
    const late =
      p90Ms === null
        ? "it may also take far longer"
        : `with 90 % by ${roughly(p90Ms)} from now (${clock(nowMs + p90Ms)})`;
    return `It is likely to start in ${roughly(p50Ms)}, ${late}: ${grounds(state, seen)}.`;
  }
  return gap === "run_times"
    ? `When it starts can't be told: ${unknownBasis(state)}.`
    : "It would not start even if all that runs had ended.";
}

function grounds(state: ClusterState, { basis: how }: StartForecast): string {
  switch (how) {
    case "turn":
      return "it may take room from others soon";
    case "reserved":
      return "those who leave for it have gone by then";
    case "pace":
      return `at the pace of its queue, ${basis(state)}`;
    case "queue":
      return `if no other queue goes ahead of it, ${basis(state)}`;
    case "runs":
      return basis(state);
    default:
      return unreachable(how);
  }
}

/** From where the ends of what runs are known. */
function basis(state: ClusterState): string {
  const { running, limited, told } = countRunning(state);
  if (running === 0) return "nothing runs that is in its way";
  const of = (some: number): string => {
    if (some < running) return `${some} of ${running} that run`;
    return running === 1 ? "what runs" : `all ${running} that run`;
  };
  const known = [
    ...(state.runTimes.size > 0 ? ["how long such jobs ran before"] : []),
    ...(told > 0 ? [`the steps of ${of(told)}`] : []),
    ...(limited > 0 ? [`the time limits of ${of(limited)}`] : []),
  ];
  if (state.runTimes.size === 0 && told + limited < running) {
    const what = told + limited === 0 ? "what runs" : "the rest";
    known.push(`how long ${what} has run, for no job has ended yet`);
  }
  return `going by ${known.join(" and ")}`;
}

function unknownBasis(state: ClusterState): string {
  const { running, limited } = countRunning(state);
  const who = limited === 0 ? "none" : `only ${limited} of ${running}`;
  return `no job of its kind has ended yet, and of what runs ${who} states a time limit`;
}

interface Running {
  readonly running: number;
  /** With a time limit. */
  readonly limited: number;
  /** Without one, but with a forecast. */
  readonly told: number;
}

function countRunning(state: ClusterState): Running {
  let running = 0;
  let limited = 0;
  let told = 0;
  for (const { phase, spec, forecast } of state.active.values()) {
    if (activeAttempt(phase) === null || phase.kind === "stopping") continue;
    running += 1;
    if (spec.timeLimitMs !== null) limited += 1;
    else if (forecast !== null) told += 1;
  }
  return { running, limited, told };
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
