import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../base/time.ts";
import { ascending, mean, quantile } from "./stats.ts";
import { generate, type RunTime, type SyntheticSpec } from "./synthetic.ts";
import { WORKLOAD_PRESETS } from "./workload-presets.ts";

const lognormal: RunTime = { kind: "lognormal", medianMs: HOUR_MS, p90Ms: 5 * HOUR_MS };

const spec = (change: Partial<SyntheticSpec> = {}): SyntheticSpec => ({
  jobs: 4_000,
  arrivals: { perHour: 60, dailyPeak: 1, burst: 1 },
  kinds: [{ gpus: 1, share: 1, runTimes: [{ share: 1, runTime: lognormal }] }],
  tenants: [{ name: "a", share: 1 }],
  usersPerTenant: 1,
  timeLimitFactor: null,
  ...change,
});

const durations = (of: SyntheticSpec): readonly number[] =>
  ascending(generate(of, 1, 8).jobs.map(({ durationMs }) => durationMs));

describe("a made-up workload", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(generate(spec(), 7, 8)).toEqual(generate(spec(), 7, 8));
    expect(generate(spec(), 8, 8)).not.toEqual(generate(spec(), 7, 8));
  });

  it("comes at its rate", () => {
    const { jobs } = generate(spec(), 1, 8);
    expect((jobs.at(-1)?.submitMs ?? 0) / HOUR_MS).toBeCloseTo(4_000 / 60, -1);
  });

  it("comes more often at the peak of the day", () => {
    const arrivals = { perHour: 60, dailyPeak: 3, burst: 1 };
    const { jobs } = generate(spec({ jobs: 20_000, arrivals }), 1, 8);
    const near = (hour: number): number =>
      jobs.filter(({ submitMs }) => Math.abs((submitMs % DAY_MS) / HOUR_MS - hour) < 1).length;
    // Noon is the peak; midnight, of which only one half is counted, the trough.
    expect(near(12) / (2 * near(0))).toBeCloseTo(3, 0);
  });

  it("comes in bursts of one user and size", () => {
    const { jobs } = generate(spec({ arrivals: { perHour: 60, dailyPeak: 1, burst: 10 } }), 1, 8);
    const instants = new Set(jobs.map(({ submitMs }) => submitMs));
    expect(jobs.length / instants.size).toBeCloseTo(10, -1);
  });

  it("comes all at once where no rate is given", () => {
    const { jobs } = generate(spec({ arrivals: { perHour: null, dailyPeak: 1, burst: 1 } }), 1, 8);
    expect(new Set(jobs.map(({ submitMs }) => submitMs))).toEqual(new Set([0]));
  });

  it("runs as long as its two points say", () => {
    const sorted = durations(spec({ jobs: 20_000 }));
    expect(quantile(sorted, 0.5) / HOUR_MS).toBeCloseTo(1, 1);
    expect(quantile(sorted, 0.9) / (5 * HOUR_MS)).toBeCloseTo(1, 1);
  });

  it("runs as long as measured quantiles say", () => {
    const points = [
      [0, 1_000],
      [0.5, 10_000],
      [1, 1_000_000],
    ] as const;
    const runTimes = [{ share: 1, runTime: { kind: "quantiles", points } as const }];
    const sorted = durations(spec({ jobs: 20_000, kinds: [{ gpus: 1, share: 1, runTimes }] }));
    expect(quantile(sorted, 0.5) / 10_000).toBeCloseTo(1, 1);
    expect(quantile(sorted, 0.75) / 100_000).toBeCloseTo(1, 0);
    expect(sorted[0]).toBeGreaterThanOrEqual(1_000);
    expect(sorted.at(-1)).toBeLessThanOrEqual(1_000_000);
  });

  it("states a time limit when it is told to", () => {
    const { jobs } = generate(spec({ jobs: 3, timeLimitFactor: 2 }), 1, 8);
    expect(jobs.every((job) => job.timeLimitMs === 2 * job.durationMs)).toBe(true);
  });
});

describe("the preset", () => {
  it.each([
    // Mean GPU hours of a job in the trace that it is fitted to.
    ["philly-like", 11.9],
    ["itp-like", 44.7],
  ])("%s asks for about as much as its trace", (name, gpuHours) => {
    const preset = WORKLOAD_PRESETS[name]?.spec ?? spec();
    const { jobs } = generate({ ...preset, jobs: 60_000 }, 1, 8);
    const asked = jobs.map((job) => (job.nodes * job.gpusPerNode * job.durationMs) / HOUR_MS);
    expect(mean(asked) / gpuHours).toBeGreaterThan(0.7);
    expect(mean(asked) / gpuHours).toBeLessThan(1.4);
  });
});
