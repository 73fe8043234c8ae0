// When those who wait will start, as far as that can be known: one forecast for all of them, shared by
// whoever asks. The cluster's future is played through several times, by ends drawn from what is known
// of those who run (forecast-run.ts), and the answers are quantiles over the runs. Who is too far back
// in a long queue to be looked at gets an estimate by the pace of the queue, with a wider span.
//
// One run in which everyone takes the median time would be wrong: of a hundred jobs that take an hour
// or so the first ends within minutes. To go on with the planner itself would be exact, and a thousand
// times as dear: ARCHITECTURE.md, decision 21. All work is bounded by counts, and pauses often.

import { must } from "../../base/assert.ts";
import { atOnce } from "../../base/at-once.ts";
import type { JobId, QueuePath } from "../../base/ids.ts";
import { placeIn, startsOfSize } from "./forecast-place.ts";
import { ForecastRun } from "./forecast-run.ts";
import { type Scene, sceneBehind, sceneOf, type WaitingLine } from "./forecast-scene.ts";
import { Supply } from "./forecast-supply.ts";
import { type Turn, turnsOf } from "./forecast-turns.ts";
import type { Job } from "./job.ts";
import { shapeOf } from "./shape.ts";
import type { ClusterState } from "./state.ts";

export interface StartForecast {
  /** From `nowMs` on; null = not known, see `gap`. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  /** Why there is no median; null where there is one. */
  readonly gap: ForecastGap | null;
  /**
   * `turn`: it may take room from others soon. `reserved`: they leave already. `pace`: by how fast its
   * queue moves, since too many are ahead of it to go through them one by one. `queue`: as if only its
   * own queue waited, for it is new and nobody there is like it.
   */
  readonly basis: "runs" | "turn" | "reserved" | "pace" | "queue";
}

/**
 * `run_times`: nothing is known about how long those in its way run. `never`: it does not start even
 * when everyone has ended.
 */
export type ForecastGap = "run_times" | "never";

/** What waits and runs over all runs, so that a large cluster gets fewer of them. */
const JOBS_MAX = 50_000;
const RUNS_MAX = 29;
const RUNS_MIN = 9;
/** By pace: how much later the late end is put. */
const PACE_SPAN = 2;

const UNKNOWN = { p50Ms: null, p90Ms: null, basis: "runs" } as const;

/** All at once: for a copy of the state, and for tests. */
export function forecastStarts(state: ClusterState, nowMs: number): StartForecasts {
  return atOnce(forecast(state, nowMs));
}

/** Each step takes about a millisecond, and the state may change between two steps. */
export function* forecast(state: ClusterState, nowMs: number): Generator<void, StartForecasts> {
  const scene = yield* sceneOf(state, nowMs);
  const jobs = Math.max(1, scene.positions.size + scene.holders.length);
  // Odd, so that there is a run in the middle.
  const wanted = Math.floor(JOBS_MAX / jobs) | 1;
  const runs = Math.max(RUNS_MIN, Math.min(RUNS_MAX, wanted));
  yield;
  const turns = turnsOf(state, nowMs);
  const supply = new Supply(scene.layout);
  const outcomes: ForecastRun[] = [];
  for (let run = 0; run < runs; run += 1) {
    yield;
    const outcome = new ForecastRun(scene, new Supply(supply), permilleOf(run, runs));
    outcomes.push(outcome);
    yield* outcome.go();
  }
  return new StartForecasts(scene, outcomes, turns);
}

export class StartForecasts {
  readonly nowMs: number;
  readonly #scene: Scene;
  readonly #runs: readonly ForecastRun[];
  readonly #lines: ReadonlyMap<QueuePath, WaitingLine>;
  readonly #turns: ReadonlyMap<JobId, Turn>;

  constructor(scene: Scene, runs: readonly ForecastRun[], turns: ReadonlyMap<JobId, Turn>) {
    this.nowMs = scene.nowMs;
    this.#turns = turns;
    this.#scene = scene;
    this.#runs = runs;
    this.#lines = new Map(scene.lines.map((line) => [line.path, line]));
  }

  /** Those who were looked at. */
  jobs(): Iterable<JobId> {
    return this.#scene.positions.keys();
  }

  /**
   * Of a job that waits and may be placed, `aheadCount` of its queue before it, be it that it came
   * after this was made; null = its queue did. `turn`: what it may take from others.
   */
  of(job: Job, aheadCount: number, turn: Turn | null = this.turnOf(job.id)): StartForecast | null {
    if (!this.#scene.state.queues.has(job.spec.queue)) return null;
    const at = this.#scene.positions.get(job.id);
    const seen = at === undefined ? this.#placed(job, aheadCount) : this.#byRuns(at);
    return turn === null ? seen : this.#bounded(seen, turn);
  }

  /** What it may take from others soon, and from when on; null = nothing. */
  turnOf(id: JobId): Turn | null {
    return this.#turns.get(id) ?? null;
  }

  /** Its patience ends in between: victims who lose little may come before. */
  #bounded(seen: StartForecast, { fromMs, byMs }: Turn): StartForecast {
    const likelyMs = Math.ceil((fromMs - this.nowMs) / 2);
    if (seen.p50Ms !== null && seen.p50Ms <= likelyMs) return seen;
    const p90Ms = Math.min(seen.p90Ms ?? byMs - this.nowMs, byMs - this.nowMs);
    return { p50Ms: likelyMs, p90Ms: Math.max(likelyMs, p90Ms), gap: null, basis: "turn" };
  }

  #byRuns(at: number): StartForecast {
    return this.#told(this.#runs.map(({ startsAtMs }) => must(startsAtMs[at], "outcome")));
  }

  /** `starts`: one of each run. */
  #told(starts: number[]): StartForecast {
    const { nowMs } = this.#scene;
    starts.sort((a, b) => (a === b ? 0 : a - b));
    const median = must(starts[(starts.length - 1) >> 1], "median run");
    const late = must(starts[Math.ceil(starts.length * 0.9) - 1], "late run");
    if (!Number.isFinite(median)) return { ...UNKNOWN, gap: this.#gap() };
    const p90Ms = Number.isFinite(late) ? late - nowMs : null;
    return { p50Ms: median - nowMs, p90Ms, gap: null, basis: "runs" };
  }

  #gap(): ForecastGap {
    return this.#runs.some(({ isEndless }) => isEndless) ? "run_times" : "never";
  }

  /** Of one who was not looked at. */
  #placed(job: Job, aheadCount: number): StartForecast {
    const line = this.#lines.get(job.spec.queue);
    if (line === undefined) return this.#behind(job, aheadCount);
    const shape = shapeOf(job.spec);
    const place = placeIn(this.#runs, line, { shape, aheadCount }, this.nowMs);
    if (place === null) return this.#amid(job, aheadCount);
    const told = this.#told(place.startsAtMs);
    if (place.beyond > 0) return farther(told, aheadCount + 1, place.beyond);
    return place.isLargest ? laterOf(told, this.#amid(job, aheadCount)) : told;
  }

  /** Behind its own queue, of which nobody tells anything, and not before others of its size. */
  #amid(job: Job, aheadCount: number): StartForecast {
    const behind = this.#behind(job, aheadCount);
    const others = startsOfSize(this.#runs, this.#lines.values(), shapeOf(job.spec));
    return others === null ? behind : laterOf(this.#told(others), behind);
  }

  /** As if only its own queue waited. */
  #behind(job: Job, aheadCount: number): StartForecast {
    const scene = sceneBehind(this.#scene, job, aheadCount);
    const at = must(scene.positions.get(job.id), job.id);
    const supply = new Supply(scene.layout);
    const starts: number[] = [];
    for (let run = 0; run < RUNS_MIN; run += 1) {
      const one = new ForecastRun(scene, new Supply(supply), permilleOf(run, RUNS_MIN));
      atOnce(one.go());
      starts.push(must(one.startsAtMs[at], "outcome"));
    }
    return { ...this.#told(starts), basis: "queue" };
  }
}

/** In the middle of its part of the distributions. */
const permilleOf = (run: number, runs: number): number =>
  Math.floor(((2 * run + 1) * 999) / (2 * runs));

/** What is not known is the latest. */
function laterOf(a: StartForecast, b: StartForecast): StartForecast {
  const [left, right] = [a.p50Ms, b.p50Ms].map((ms) => ms ?? Number.POSITIVE_INFINITY);
  return (left ?? 0) > (right ?? 0) ? a : b;
}

/** On from the last who was looked at, at the same pace: `count` come up to it, `beyond` unseen. */
function farther(last: StartForecast, count: number, beyond: number): StartForecast {
  if (last.p50Ms === null) return last;
  const by = count / (count - beyond);
  const p50Ms = Math.floor(last.p50Ms * by);
  const p90Ms = last.p90Ms === null ? null : Math.floor(last.p90Ms * by * PACE_SPAN);
  return { p50Ms, p90Ms, gap: null, basis: "pace" };
}
