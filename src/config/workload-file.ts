// A synthetic workload as people write it: how jobs arrive, how large they are, how long they run.

import { z } from "zod";
import { DAY_MS, SECOND_MS } from "../base/time.ts";
import { problemsError } from "./problem.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";
import { zodProblems } from "./zod-problems.ts";
import { durationMs, shown, wholeNumber } from "./zod-words.ts";

const runLength = (): ReturnType<typeof durationMs> =>
  durationMs({ min: SECOND_MS, max: 3_650 * DAY_MS });

function number(range: { readonly min: number; readonly max: number }) {
  const error = (issue: { readonly input?: unknown }): string =>
    `${shown(issue.input)} is not a number from ${range.min} to ${range.max}`;
  return z.number({ error }).min(range.min, { error }).max(range.max, { error });
}

const share = () => number({ min: 0.000_001, max: 1_000_000 });

const lognormal = z
  .strictObject({
    share: share().optional().describe("Weight against the others of the list. Default 1."),
    median: runLength().describe("Half of the jobs run no longer."),
    p90: runLength().describe("Nine in ten run no longer; over the median."),
  })
  .refine(({ median, p90 }) => p90 > median, { error: "p90 must be over the median" });

const quantiles = z.strictObject({
  share: share().optional().describe("Weight against the others of the list. Default 1."),
  quantiles: z
    .record(z.string().regex(/^(0(\.\d+)?|1(\.0+)?)$/), runLength(), {
      error: (issue) => `${shown(issue.input)} is not a map such as {0: 1s, 0.5: 20m, 1: 3d}`,
    })
    .refine((points) => Object.keys(points).length >= 2, { error: "needs two points or more" })
    .refine((points) => isAscending(points), { error: "a larger share must not run shorter" })
    .describe("Share of the jobs that run no longer: {0: 1s, 0.5: 20m, 1: 3d}."),
});

const runTime = z.union([lognormal, quantiles], {
  error: (issue) =>
    `${shown(issue.input)} is neither {median: 20m, p90: 2h} nor {quantiles: {0: 1s, 1: 3d}}`,
});

const kind = z.strictObject({
  gpus: wholeNumber({ min: 1, max: 1_000_000 }).describe("More than a node has: whole gangs."),
  share: share().optional().describe("Weight against the other kinds. Default 1."),
  run_time: z
    .union([runTime, z.array(runTime).min(1)])
    .describe("One distribution, or a list of them as a mixture."),
});

export const workloadFileSchema = z.strictObject({
  jobs: wholeNumber({ min: 1, max: 10_000_000 }).describe("How many."),
  arrivals: z
    .strictObject({
      per_hour: number({ min: 0.001, max: 10_000_000 })
        .optional()
        .describe("Mean number of jobs an hour, as a Poisson process. Left out: all come at once."),
      daily_peak: number({ min: 1, max: 1_000 })
        .optional()
        .describe("How many times more come at the peak of the day than at its trough. Default 1."),
      burst: number({ min: 1, max: 10_000 })
        .optional()
        .describe("Mean number of jobs of one kind and user that come together. Default 1."),
    })
    .optional(),
  kinds: z.array(kind).min(1, { error: "needs one kind or more" }),
  tenants: z
    .record(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/), share())
    .optional()
    .describe("Tenants by name, with their part of the jobs. Default {default: 1}."),
  users_per_tenant: wholeNumber({ min: 1, max: 100_000 }).optional().describe("Default 1."),
  time_limit_factor: number({ min: 1, max: 1_000 })
    .optional()
    .describe("Jobs state this many times their run time as time limit. Left out: none."),
});

/** Units and names of the generator; see `SyntheticSpec`. */
export interface WorkloadSettings {
  readonly jobs: number;
  readonly arrivals: {
    readonly perHour: number | null;
    readonly dailyPeak: number;
    readonly burst: number;
  };
  readonly kinds: readonly {
    readonly gpus: number;
    readonly share: number;
    readonly runTimes: readonly { readonly share: number; readonly runTime: RunTimeSettings }[];
  }[];
  readonly tenants: readonly { readonly name: string; readonly share: number }[];
  readonly usersPerTenant: number;
  readonly timeLimitFactor: number | null;
}

type RunTimeSettings =
  | { readonly kind: "lognormal"; readonly medianMs: number; readonly p90Ms: number }
  | { readonly kind: "quantiles"; readonly points: readonly (readonly [number, number])[] };

/** @throws RefusalError naming line, field and value of every mistake. */
export async function readWorkloadFile(path: string): Promise<WorkloadSettings> {
  return parseWorkload(await readYamlFile(path, { file: path, code: "INVALID_TRACE" }));
}

export function parseWorkload(yaml: YamlFile): WorkloadSettings {
  const result = workloadFileSchema.safeParse(yaml.value);
  if (!result.success) {
    const options = { schema: workloadFileSchema, placer: yaml };
    const problems = zodProblems(result.error.issues, options);
    throw problemsError("INVALID_TRACE", problems, `Mend ${yaml.file}.`);
  }
  const { jobs, arrivals, kinds, tenants, users_per_tenant, time_limit_factor } = result.data;
  return {
    jobs,
    arrivals: {
      perHour: arrivals?.per_hour ?? null,
      dailyPeak: arrivals?.daily_peak ?? 1,
      burst: arrivals?.burst ?? 1,
    },
    kinds: kinds.map((one) => ({
      gpus: one.gpus,
      share: one.share ?? 1,
      runTimes: [one.run_time].flat().map((run) => ({
        share: run.share ?? 1,
        runTime: runTimeSettings(run),
      })),
    })),
    tenants: Object.entries(tenants ?? { default: 1 }).map(([name, part]) => ({
      name,
      share: part,
    })),
    usersPerTenant: users_per_tenant ?? 1,
    timeLimitFactor: time_limit_factor ?? null,
  };
}

function runTimeSettings(run: z.output<typeof runTime>): RunTimeSettings {
  if ("median" in run) return { kind: "lognormal", medianMs: run.median, p90Ms: run.p90 };
  return { kind: "quantiles", points: sortedPoints(run.quantiles) };
}

function sortedPoints(points: Readonly<Record<string, number>>): [number, number][] {
  return Object.entries(points)
    .map(([part, ms]): [number, number] => [Number(part), ms])
    .sort(([a], [b]) => a - b);
}

function isAscending(points: Readonly<Record<string, number>>): boolean {
  const sorted = sortedPoints(points);
  return sorted.every(([, ms], at) => at === 0 || ms >= (sorted[at - 1]?.[1] ?? 0));
}
