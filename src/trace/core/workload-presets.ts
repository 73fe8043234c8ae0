// Workloads by name. Two are fitted to public traces: shares of sizes and tenants, quantiles of the run
// time by size, and the rate of arrivals are theirs, the jobs are drawn.

import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import type { JobKind, RunTime, SyntheticSpec } from "./synthetic.ts";

type Seconds = readonly (readonly [share: number, seconds: number])[];

function measured(gpus: number, share: number, seconds: Seconds): JobKind {
  const points = seconds.map(([part, s]) => [part, s * SECOND_MS] as const);
  return { gpus, share, runTimes: [{ share: 1, runTime: { kind: "quantiles", points } }] };
}

function lognormal(gpus: number, share: number, medianMs: number, p90Ms: number): JobKind {
  const runTime: RunTime = { kind: "lognormal", medianMs, p90Ms };
  return { gpus, share, runTimes: [{ share: 1, runTime }] };
}

/** Quantiles of msr-fiddle/philly-traces (Jeon et al., ATC '19) as cut to 82,247 jobs by Sia. */
const PHILLY_ONE: Seconds = [
  [0, 1],
  [0.05, 52],
  [0.1, 62],
  [0.25, 122],
  [0.5, 1_117],
  [0.75, 2_716],
  [0.9, 8_512],
  [0.95, 19_137],
  [0.99, 135_404],
  [1, 3_256_045],
];
const PHILLY_FEW: Seconds = [
  [0, 2],
  [0.05, 11],
  [0.25, 21],
  [0.5, 367],
  [0.75, 45_476],
  [0.9, 166_199],
  [0.95, 233_725],
  [0.99, 748_678],
  [1, 2_750_674],
];
const PHILLY_NODE: Seconds = [
  [0, 1],
  [0.05, 125],
  [0.1, 216],
  [0.25, 1_871],
  [0.5, 23_683],
  [0.75, 173_288],
  [0.9, 352_409],
  [0.95, 525_631],
  [0.99, 1_066_894],
  [1, 4_628_226],
];
const PHILLY_GANG: Seconds = [
  [0, 1],
  [0.05, 35],
  [0.1, 69],
  [0.25, 566],
  [0.5, 21_137],
  [0.75, 104_218],
  [0.9, 252_560],
  [0.95, 446_126],
  [0.99, 1_152_387],
  [1, 1_710_643],
];

/** Quantiles of cluster 04 of microsoft/elasticflow-traces (Gu et al., ASPLOS '23). */
const ITP_ONE: Seconds = [
  [0, 600],
  [0.05, 998],
  [0.1, 1_248],
  [0.25, 5_785],
  [0.5, 7_597],
  [0.75, 10_816],
  [0.9, 18_518],
  [0.95, 23_912],
  [0.99, 56_024],
  [1, 132_286],
];
const ITP_NODE: Seconds = [
  [0, 600],
  [0.05, 1_472],
  [0.1, 2_990],
  [0.25, 10_592],
  [0.5, 18_447],
  [0.75, 42_331],
  [0.9, 107_332],
  [0.95, 192_024],
  [0.99, 660_590],
  [1, 1_237_189],
];
const ITP_GANG: Seconds = [
  [0, 602],
  [0.05, 717],
  [0.1, 1_480],
  [0.25, 11_900],
  [0.5, 82_296],
  [0.75, 136_827],
  [0.9, 264_133],
  [0.95, 314_625],
  [0.99, 597_733],
  [1, 671_371],
];

const NO_LIMIT = { usersPerTenant: 5, timeLimitFactor: null } as const;

export const WORKLOAD_PRESETS: Readonly<
  Record<string, { readonly summary: string; readonly spec: SyntheticSpec }>
> = {
  "philly-like": {
    summary: "Philly 2017: nine in ten ask for one GPU, a few run for weeks (512 GPUs: load 0.7)",
    spec: {
      ...NO_LIMIT,
      jobs: 20_000,
      arrivals: { perHour: 31.5, dailyPeak: 2, burst: 6 },
      kinds: [
        measured(1, 93.17, PHILLY_ONE),
        measured(2, 2.21, PHILLY_FEW),
        measured(4, 2.27, PHILLY_FEW),
        measured(8, 2, PHILLY_NODE),
        measured(16, 0.25, PHILLY_GANG),
        measured(32, 0.09, PHILLY_GANG),
        measured(64, 0.01, PHILLY_GANG),
      ],
      tenants: [50, 20, 12, 9, 3, 2, 2, 1, 1].map((share, at) => ({ name: `vc-${at}`, share })),
    },
  },
  "itp-like": {
    summary:
      "Microsoft ITP 2021, cluster 04: longer jobs, a fifth of whole nodes (576 GPUs: load 0.9)",
    spec: {
      ...NO_LIMIT,
      jobs: 10_000,
      arrivals: { perHour: 11, dailyPeak: 1.3, burst: 3 },
      kinds: [
        measured(1, 75.5, ITP_ONE),
        measured(2, 0.8, ITP_ONE),
        measured(4, 3.4, ITP_ONE),
        measured(8, 17.6, ITP_NODE),
        measured(16, 1.1, ITP_GANG),
        measured(32, 1.6, ITP_GANG),
      ],
      tenants: [{ name: "itp", share: 1 }],
    },
  },
  poisson: {
    summary: "two teams, one GPU to two nodes, an hour each in the middle",
    spec: {
      ...NO_LIMIT,
      jobs: 2_000,
      arrivals: { perHour: 60, dailyPeak: 1, burst: 1 },
      kinds: [
        lognormal(1, 60, 30 * MINUTE_MS, 3 * HOUR_MS),
        lognormal(4, 20, HOUR_MS, 6 * HOUR_MS),
        lognormal(8, 15, 2 * HOUR_MS, 8 * HOUR_MS),
        lognormal(16, 5, 4 * HOUR_MS, 12 * HOUR_MS),
      ],
      tenants: [
        { name: "a", share: 2 },
        { name: "b", share: 1 },
      ],
    },
  },
  backlog: {
    summary: "a thousand jobs that are all there at the start",
    spec: {
      ...NO_LIMIT,
      jobs: 1_000,
      arrivals: { perHour: null, dailyPeak: 1, burst: 1 },
      kinds: [
        lognormal(1, 70, 30 * MINUTE_MS, 3 * HOUR_MS),
        lognormal(8, 30, 2 * HOUR_MS, 8 * HOUR_MS),
      ],
      tenants: [
        { name: "a", share: 1 },
        { name: "b", share: 1 },
      ],
    },
  },
};
