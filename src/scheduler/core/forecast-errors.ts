// How well starts were forecast, and what that says about the next forecasts. A forecast knows nobody
// who is yet to come and nobody who will be preempted; how wrong that makes it differs from cluster to
// cluster, so it is learned: by how many times jobs waited longer than they were told. Quantiles of
// that, for near and far starts apart, and for who was preempted, correct what is told from then on. (Split conformal prediction,
// Vovk et al. 2005.) Of what is told, it remembers what was told first in each wait.

import { addToHistogram, type Histogram, quantileWithin } from "../../base/histogram.ts";
import type { JobId } from "../../base/ids.ts";
import { HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import type { Starts } from "./explain-when.ts";
import type { Job } from "./job.ts";
import type { StartForecast } from "./start-forecast.ts";

/** A wait that is over, held against what was told when it began. */
export interface ForecastError {
  /** How much later than the median it started; negative = sooner. */
  readonly lateMs: number;
  readonly isByP50: boolean;
  readonly isByP90: boolean;
}

/** Added to both sides of a ratio: nobody minds a minute. */
const GRAIN_MS = MINUTE_MS;
/** Ratios are counted in 1024ths, up to 256 fold. */
const RATIO_UNIT = 1_024;
const RATIO_MAX = 256;
/** Medians up to these are corrected alike. */
const SPANS_MS = [10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, Number.POSITIVE_INFINITY];
/** Beyond this all counts are halved. */
const LEARNED_MAX = 256;
const NONE: Histogram = { counts: [], total: 0 };
/** Medians are told as they are until so many of their kind have been learned from. */
const LEARNED_MIN = 10;
/** What is believed of 90 % marks to begin with: of ten, one is much too early. */
const BELIEVED = histogramOf([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 2, 5]);
/** Waits that are remembered. */
const OPEN_MAX = 20_000;

interface Told {
  readonly atMs: number;
  readonly raw: Known;
  /** Where it is learned from. */
  readonly learned: Learned;
  readonly corrected: Known;
}

type Known = StartForecast & { readonly p50Ms: number };

/** Ratios of what came to what was told. */
interface Learned {
  p50: Histogram;
  p90: Histogram;
}

/** What was learned, as it is kept over a restart. */
export interface LearnedRatios {
  /** Of the kinds below: other kinds of another release are not taken over. */
  readonly version: number;
  readonly kinds: Readonly<Record<string, Readonly<Learned>>>;
}

const VERSION = 1;

export class ForecastErrors {
  /** Waits that were learned from since this was made. */
  learnedCount = 0;
  readonly #open = new Map<JobId, Told>();
  readonly #learned = new Map<string, Learned>();

  /** Goes on from what an earlier one learned; nothing of what is not understood. */
  recall(kept: unknown): void {
    if (!isLearnedRatios(kept)) return;
    for (const [kind, { p50, p90 }] of Object.entries(kept.kinds)) {
      this.#learned.set(kind, { p50, p90 });
    }
  }

  /** For `recall`. */
  learned(): LearnedRatios {
    const kinds = [...this.#learned].map(([kind, { p50, p90 }]) => [kind, { p50, p90 }]);
    return { version: VERSION, kinds: Object.fromEntries(kinds) };
  }

  /** The same starts with what was learned; what has no median is told as it is. */
  correct(starts: Starts): Starts {
    return {
      nowMs: starts.nowMs,
      turnOf: (id) => starts.turnOf(id),
      of: (job, aheadCount, turn) => {
        const raw = starts.of(job, aheadCount, turn);
        return raw === null || !isKnown(raw) ? raw : this.#correct(raw, isAgain(job));
      },
    };
  }

  /** Remembers what a job was told, if it is the first time in this wait. */
  tell(job: Job, raw: StartForecast, atMs: number): void {
    if (!isKnown(raw) || this.#open.has(job.id) || this.#open.size >= OPEN_MAX) return;
    const learned = this.#of(raw, isAgain(job));
    this.#open.set(job.id, { atMs, raw, learned, corrected: this.#correct(raw, isAgain(job)) });
  }

  isTold(id: JobId): boolean {
    return this.#open.has(id);
  }

  /** It starts: how wrong was it? Null when nothing was told. */
  started(id: JobId, atMs: number): ForecastError | null {
    const told = this.#open.get(id);
    if (told === undefined) return null;
    this.#open.delete(id);
    const waitedMs = atMs - told.atMs;
    const { raw, corrected, learned } = told;
    learned.p50 = addToHistogram(learned.p50, ratio(waitedMs, raw.p50Ms), LEARNED_MAX);
    this.learnedCount += 1;
    if (raw.p90Ms !== null) {
      learned.p90 = addToHistogram(learned.p90, ratio(waitedMs, raw.p90Ms), LEARNED_MAX);
    }
    return {
      lateMs: waitedMs - corrected.p50Ms,
      isByP50: waitedMs <= corrected.p50Ms,
      isByP90: corrected.p90Ms === null || waitedMs <= corrected.p90Ms,
    };
  }

  /** It waits no longer, and did not start. */
  forget(id: JobId): void {
    this.#open.delete(id);
  }

  #correct(raw: Known, isAgain: boolean): Known {
    const { p50, p90 } = this.#of(raw, isAgain);
    const isLearned = p50.total >= LEARNED_MIN;
    const p50Ms = isLearned ? stretch(raw.p50Ms, quantileOf(p50, 500)) : raw.p50Ms;
    if (raw.p90Ms === null) return { ...raw, p50Ms };
    return { ...raw, p50Ms, p90Ms: Math.max(p50Ms, stretch(raw.p90Ms, quantileOf(p90, 900))) };
  }

  #of({ p50Ms, basis }: Known, isAgain: boolean): Learned {
    const key = `${basis} ${isAgain} ${SPANS_MS.findIndex((toMs) => p50Ms < toMs)}`;
    let learned = this.#learned.get(key);
    if (learned === undefined) this.#learned.set(key, (learned = { p50: NONE, p90: BELIEVED }));
    return learned;
  }
}

function isLearnedRatios(kept: unknown): kept is LearnedRatios {
  const { version, kinds } = (kept ?? {}) as Partial<LearnedRatios>;
  if (version !== VERSION || typeof kinds !== "object" || kinds === null) return false;
  return Object.values(kinds).every((one) => isHistogram(one?.p50) && isHistogram(one?.p90));
}

function isHistogram(kept: Partial<Histogram> | undefined): kept is Histogram {
  const counts: unknown = kept?.counts;
  if (!Array.isArray(counts) || !counts.every((one) => Number.isInteger(one) && one >= 0)) {
    return false;
  }
  return kept?.total === counts.reduce((sum: number, one: number) => sum + one, 0);
}

/** Who was preempted gives way to others, and is overtaken more often. */
const isAgain = ({ preemptions }: Job): boolean => preemptions > 0;

const isKnown = (forecast: StartForecast): forecast is Known => forecast.p50Ms !== null;

const ratio = (isMs: number, toldMs: number): number =>
  Math.min(
    RATIO_MAX * RATIO_UNIT,
    Math.round((RATIO_UNIT * (isMs + GRAIN_MS)) / (toldMs + GRAIN_MS)),
  );

const quantileOf = (ratios: Histogram, permille: number): number =>
  quantileWithin(ratios, 0, permille) / RATIO_UNIT;

const stretch = (toldMs: number, by: number): number =>
  Math.max(0, Math.floor((toldMs + GRAIN_MS) * by) - GRAIN_MS);

function histogramOf(ratios: readonly number[]): Histogram {
  let histogram = NONE;
  for (const one of ratios) {
    histogram = addToHistogram(histogram, Math.round(one * RATIO_UNIT), LEARNED_MAX);
  }
  return histogram;
}
