// Workloads that are drawn instead of read: arrivals, sizes and running times by distribution. The
// same description, seed and cluster give the same jobs.

import { must } from "../../base/assert.ts";
import { createPrng, type Prng } from "../../base/prng.ts";
import { DAY_MS, HOUR_MS } from "../../base/time.ts";
import { gangOf, type TraceJob, type Workload, workloadOf } from "./workload.ts";

export type RunTime =
  | {
      /** Lognormal through two points that people know. `p90Ms` is over `medianMs`. */
      readonly kind: "lognormal";
      readonly medianMs: number;
      readonly p90Ms: number;
    }
  | {
      /** Measured: (share of jobs, their longest run), ascending; the logarithm is interpolated. */
      readonly kind: "quantiles";
      readonly points: readonly (readonly [share: number, ms: number])[];
    };

/** A kind of job. Shares are weights: only their ratios count. */
export interface JobKind {
  readonly gpus: number;
  readonly share: number;
  readonly runTimes: readonly { readonly share: number; readonly runTime: RunTime }[];
}

export interface Arrivals {
  /** Mean over the day; null = all jobs come at once. */
  readonly perHour: number | null;
  /** How many times more come at the peak of the day than at its trough; 1 = all day alike. */
  readonly dailyPeak: number;
  /** Mean number of jobs of one kind and user that come together, such as a sweep; at least 1. */
  readonly burst: number;
}

export interface SyntheticSpec {
  readonly jobs: number;
  readonly arrivals: Arrivals;
  readonly kinds: readonly JobKind[];
  readonly tenants: readonly { readonly name: string; readonly share: number }[];
  readonly usersPerTenant: number;
  /** Jobs state this many times their run as time limit; null = they state none. */
  readonly timeLimitFactor: number | null;
}

export function generate(spec: SyntheticSpec, seed: number, nodeGpus: number): Workload {
  const prng = createPrng(seed);
  const arrivals = new ArrivalClock(spec.arrivals, prng.fork());
  const draws = prng.fork();
  const jobs: TraceJob[] = [];
  while (jobs.length < spec.jobs) {
    const submitMs = arrivals.nextMs();
    const kind = weighted(spec.kinds, draws);
    const tenant = weighted(spec.tenants, draws).name;
    const user = `${tenant}-${draws.below(spec.usersPerTenant)}`;
    const count = Math.min(burstSize(spec.arrivals.burst, draws), spec.jobs - jobs.length);
    for (let one = 0; one < count; one += 1) {
      const durationMs = drawRunTime(weighted(kind.runTimes, draws).runTime, draws);
      const { timeLimitFactor } = spec;
      jobs.push({
        submitMs,
        durationMs,
        ...gangOf(kind.gpus, nodeGpus),
        tenant,
        owner: { tenant, user },
        asks: {},
        timeLimitMs: timeLimitFactor === null ? null : Math.ceil(durationMs * timeLimitFactor),
        origin: `job ${jobs.length + 1}`,
      });
    }
  }
  return workloadOf(jobs);
}

/** A Poisson process whose rate follows the day; thinning keeps it exact. */
class ArrivalClock {
  readonly #arrivals: Arrivals;
  readonly #prng: Prng;
  #nowMs = 0;

  constructor(arrivals: Arrivals, prng: Prng) {
    this.#arrivals = arrivals;
    this.#prng = prng;
  }

  nextMs(): number {
    const { perHour, dailyPeak, burst } = this.#arrivals;
    if (perHour === null) return 0;
    const swing = (dailyPeak - 1) / (dailyPeak + 1);
    const meanMs = (HOUR_MS * burst) / perHour;
    for (;;) {
      this.#nowMs += (-Math.log(1 - this.#prng.unit()) * meanMs) / (1 + swing);
      const wave = Math.sin((2 * Math.PI * this.#nowMs) / DAY_MS - Math.PI / 2);
      if (this.#prng.unit() * (1 + swing) < 1 + swing * wave) return Math.round(this.#nowMs);
    }
  }
}

/** Geometric with this mean. */
function burstSize(mean: number, prng: Prng): number {
  if (mean <= 1) return 1;
  return 1 + Math.floor(Math.log(1 - prng.unit()) / Math.log(1 - 1 / mean));
}

/** At least a second. */
function drawRunTime(runTime: RunTime, prng: Prng): number {
  const ms =
    runTime.kind === "lognormal" ? drawLognormal(runTime, prng) : interpolated(runTime, prng);
  return Math.max(1_000, Math.round(ms));
}

/** The 90th percentile of the standard normal distribution. */
const NORMAL_P90 = 1.2815515655446004;

function drawLognormal(
  { medianMs, p90Ms }: Extract<RunTime, { readonly kind: "lognormal" }>,
  prng: Prng,
): number {
  const normal = Math.sqrt(-2 * Math.log(1 - prng.unit())) * Math.cos(2 * Math.PI * prng.unit());
  return medianMs * Math.exp((normal * Math.log(p90Ms / medianMs)) / NORMAL_P90);
}

function interpolated(
  { points }: Extract<RunTime, { readonly kind: "quantiles" }>,
  prng: Prng,
): number {
  const drawn = prng.unit();
  const after = points.findIndex(([share]) => share > drawn);
  const high = must(points[after < 0 ? points.length - 1 : after], "point");
  const low = points[Math.max(0, (after < 0 ? points.length : after) - 1)] ?? high;
  const width = high[0] - low[0];
  const part = width === 0 ? 0 : (drawn - low[0]) / width;
  return Math.exp(Math.log(low[1]) + part * (Math.log(high[1]) - Math.log(low[1])));
}

function weighted<T extends { readonly share: number }>(items: readonly T[], prng: Prng): T {
  let rest = prng.unit() * items.reduce((sum, { share }) => sum + share, 0);
  for (const item of items) {
    rest -= item.share;
    if (rest < 0) return item;
  }
  return must(items.at(-1), "item");
}
