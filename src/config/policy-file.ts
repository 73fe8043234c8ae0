// The scheduling policy as operators write it. Only what the file names is returned; the scheduler
// fills the rest with its own defaults.

import { z } from "zod";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/time.ts";
import { problemsError } from "./problem.ts";
import type { YamlFile } from "./yaml-file.ts";
import { readYamlFile } from "./yaml-file.ts";
import { zodProblems } from "./zod-problems.ts";
import { durationMs, shown, textField, wholeNumber } from "./zod-words.ts";

const wait = (): ReturnType<typeof durationMs> => durationMs({ min: 0, max: 30 * DAY_MS });

const patterns = (of: string) =>
  z
    .array(textField("text"), { error: (issue) => `${shown(issue.input)} is not a list` })
    .optional()
    .describe(`${of}; \`*\` stands for any text.`);

/** A number, or the number with who may use the class. Numbers become the longer form. */
function priorityClass() {
  const value = wholeNumber({ min: 0, max: 1_000_000 });
  const granted = z.strictObject({
    value: value.describe("A larger number goes first."),
    queues: patterns("Queue paths, such as prod or prod/*"),
    tenants: patterns("Tenants"),
    users: patterns("Users, as user@tenant"),
  });
  return z.union([value, granted], {
    error: (issue) =>
      `${shown(issue.input)} is neither a whole number from 0 to 1000000 nor a map such as ` +
      "{value: 900, queues: [prod/*]}",
  });
}

function ownerLimit(most: string) {
  const error = (value: unknown): string =>
    `${shown(value)} is neither a whole number from 0 to 10000000 nor none`;
  const amount = z.union([wholeNumber({ min: 0, max: 10_000_000 }), z.literal("none")], {
    error: (issue) => error(issue.input),
  });
  return amount
    .transform((value) => (value === "none" ? null : value))
    .optional()
    .describe(`${most}; none = any number, absent = as \`default\` says.`);
}

function ownerLimits(names: RegExp, of: string, example: string) {
  const entry = z.strictObject(
    {
      queued: ownerLimit("Jobs that wait at most; further submissions are refused"),
      running: ownerLimit("Jobs under way at most; further ones wait"),
      gpus: ownerLimit("GPUs that they hold at most; further jobs wait"),
    },
    { error: (issue) => `${shown(issue.input)} is not a map such as {running: 4, gpus: 16}` },
  );
  return z
    .record(z.string().regex(names), entry, {
      error: (issue) => `${shown(issue.input)} is not a map such as {${example}: {running: 4}}`,
    })
    .optional()
    .describe(`${of}, or \`default\`.`);
}

export const policyFileSchema = z.strictObject({
  priority_classes: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), priorityClass(), {
      error: (issue) => `${shown(issue.input)} is not a map such as {low: 100, normal: 500}`,
    })
    .refine((classes) => Object.hasOwn(classes, "normal"), {
      error: "must have `normal`: the class of jobs that name none",
    })
    .optional()
    .describe(
      "Priority classes by name; a larger number goes first and may preempt smaller ones. With " +
        "{value: 900, queues: [prod/*], tenants: [], users: []} only those who are listed may use it.",
    ),
  usage_half_life: durationMs({ min: 0, max: 365 * DAY_MS })
    .optional()
    .describe("After this long, past use counts half; 0 = only what runs now counts."),
  oversize: z
    .enum(["refuse", "hold"], {
      error: (issue) => `${shown(issue.input)} is unknown; write refuse or hold`,
    })
    .optional()
    .describe("A job larger than the cluster: refuse it, or hold it until nodes join."),
  preemption: z
    .boolean({ error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .optional()
    .describe("Whether running jobs may be stopped for those with a better claim."),
  las_levels: z
    .array(durationMs({ min: MINUTE_MS, max: 10_000 * DAY_MS }), {
      error: (issue) => `${shown(issue.input)} is not a list such as [8h]`,
    })
    .max(8, { error: "has more than 8 levels" })
    .refine((levels) => levels.every((level, at) => at === 0 || level > (levels[at - 1] ?? 0)), {
      error: "must ascend",
    })
    .optional()
    .describe(
      "In queues of order las: GPU time (one GPU for that long) at which a job sinks by a level. " +
        "Who is on a lower level goes first and may preempt those on higher ones; [] = nobody sinks.",
    ),
  las_aging: wait()
    .optional()
    .describe("A job of a las queue that waits this long counts as if it had had no GPU time."),
  las_learned: z
    .boolean({ error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .optional()
    .describe(
      "In queues of order las, beyond the first level: whether who should end for the fewest GPU " +
        "hours goes first, by how long others of the queue ran; false = who had less GPU time.",
    ),
  las_preemptions_max: wholeNumber({ min: 0, max: 1_000_000 })
    .optional()
    .describe("How often a job is preempted at most by those who had less GPU time."),
  las_loss_max: wait()
    .optional()
    .describe("Nobody is preempted by those who had less GPU time if that would lose more work."),
  grow_after: wait()
    .optional()
    .describe(
      "An elastic job takes idle nodes this long after it began to run, at the earliest; 0 = never. " +
        "Default 10m.",
    ),
  cheap_loss: wait()
    .optional()
    .describe("A victim that would lose more is spared while its preemptor has patience."),
  preemption_patience: wait()
    .optional()
    .describe("How long a job waits for victims that lose little."),
  backfill: z
    .boolean({ error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .optional()
    .describe(
      "Whether a job may start before one ahead of it in its queue that does not fit; " +
        "false = strictly in order.",
    ),
  reclaim_shares: z
    .boolean({ error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .optional()
    .describe("Whether a queue under its fair share may take from those that are over theirs."),
  share_window: wait()
    .optional()
    .describe(
      "Over how long queues get their fair shares: who had less than it was due in that time may " +
        "have more now, and who had more gives way; 0 = at each moment. Such as 1d.",
    ),
  min_run: wait()
    .optional()
    .describe(
      "An attempt younger than this is not preempted; grows evenly to ten times that as its job " +
        "is preempted as often as las_preemptions_max.",
    ),
  restart_cost: wait()
    .optional()
    .describe("What starting a victim again costs, in its running time."),
  victim_order: z
    .enum(["least-lost", "newest"], {
      error: (issue) => `${shown(issue.input)} is unknown; write least-lost or newest`,
    })
    .optional()
    .describe("Who of a class is preempted first: who loses the least work, or who came last."),
  gang_patience: wait()
    .optional()
    .describe("A gang that waited longer holds smaller jobs back from its nodes."),
  gang_claims_max: wholeNumber({ min: 0, max: 1024 })
    .optional()
    .describe("How many blocked gangs may hold nodes back at once."),
  gang_latest_start: wait()
    .optional()
    .describe(
      "Until a gang has waited this long, others run on the nodes that it holds back if they are " +
        "expected to end before it starts; then nobody does.",
    ),
  backoff_base: wait()
    .optional()
    .describe("First wait after a job's own failure; doubles each time."),
  backoff_max: wait().optional().describe("Longest wait between two tries."),
  stop_grace: durationMs({ min: 0, max: HOUR_MS })
    .optional()
    .describe("Time to end for tasks of which no checkpoint is awaited."),
  pending_jobs_max: wholeNumber({ min: 1, max: 10_000_000 })
    .optional()
    .describe("Jobs that may wait at once; more are refused."),
  limits: z
    .strictObject(
      {
        tenants: ownerLimits(/./, "Tenants", "acme"),
        users: ownerLimits(/^default$|.@./, "Users, as user@tenant", "ada@acme"),
      },
      { error: (issue) => `${shown(issue.input)} is not a map such as {users: {default: …}}` },
    )
    .optional()
    .describe(
      "What a tenant, or a user, may have at once over all queues: {queued, running, gpus}. " +
        "`default` is for those who are not named, each by itself.",
    ),
});

type PolicyFile = z.output<typeof policyFileSchema>;

/** Who may use a class; whoever is in one of the lists. */
interface PriorityGrantSettings {
  readonly queues: readonly string[];
  readonly tenants: readonly string[];
  readonly users: readonly string[];
}

/** Names and units of the scheduler's `Policy`; what the file left out is absent. */
export interface PolicySettings {
  readonly priorityClasses?: Readonly<Record<string, number>>;
  readonly priorityGrants?: Readonly<Record<string, PriorityGrantSettings>>;
  readonly usageHalfLifeMs?: number;
  readonly oversize?: "refuse" | "hold";
  readonly isPreemptionEnabled?: boolean;
  readonly lasLevelsGpuMs?: readonly number[];
  readonly lasAgingMs?: number;
  readonly isLasLearned?: boolean;
  readonly lasPreemptionsMax?: number;
  readonly lasLossMaxMs?: number;
  readonly growAfterMs?: number;
  readonly cheapLossMs?: number;
  readonly preemptionPatienceMs?: number;
  readonly isBackfillEnabled?: boolean;
  readonly isShareReclaimed?: boolean;
  readonly shareWindowMs?: number;
  readonly minRunMs?: number;
  readonly restartCostMs?: number;
  readonly victimOrder?: "least-lost" | "newest";
  readonly gangPatienceMs?: number;
  readonly claimsMax?: number;
  readonly gangLatestStartMs?: number;
  readonly backoffBaseMs?: number;
  readonly backoffMaxMs?: number;
  readonly stopGraceMs?: number;
  readonly pendingJobsMax?: number;
  readonly limits?: {
    readonly tenants: Readonly<Record<string, OwnerLimitSettings>>;
    readonly users: Readonly<Record<string, OwnerLimitSettings>>;
  };
}

/** Null = any number; absent = as the entry `default` says. */
interface OwnerLimitSettings {
  readonly queued?: number | null;
  readonly running?: number | null;
  readonly gpus?: number | null;
}

/** @throws RefusalError naming line, field and value of every mistake. */
export async function readPolicyFile(path: string): Promise<PolicySettings> {
  return parsePolicy(await readYamlFile(path, { file: path, code: "INVALID_OPTION" }));
}

export function parsePolicy(yaml: YamlFile): PolicySettings {
  const result = policyFileSchema.safeParse(yaml.value ?? {});
  if (!result.success) {
    const problems = zodProblems(result.error.issues, { schema: policyFileSchema, placer: yaml });
    throw problemsError("INVALID_OPTION", problems, `Mend ${yaml.file}.`);
  }
  return withoutUndefined(result.data);
}

function withoutUndefined(file: PolicyFile): PolicySettings {
  const settings = {
    ...classSettings(file.priority_classes),
    usageHalfLifeMs: file.usage_half_life,
    oversize: file.oversize,
    isPreemptionEnabled: file.preemption,
    lasLevelsGpuMs: file.las_levels,
    lasAgingMs: file.las_aging,
    isLasLearned: file.las_learned,
    lasPreemptionsMax: file.las_preemptions_max,
    lasLossMaxMs: file.las_loss_max,
    growAfterMs: file.grow_after,
    cheapLossMs: file.cheap_loss,
    preemptionPatienceMs: file.preemption_patience,
    isBackfillEnabled: file.backfill,
    isShareReclaimed: file.reclaim_shares,
    shareWindowMs: file.share_window,
    minRunMs: file.min_run,
    restartCostMs: file.restart_cost,
    victimOrder: file.victim_order,
    gangPatienceMs: file.gang_patience,
    claimsMax: file.gang_claims_max,
    gangLatestStartMs: file.gang_latest_start,
    backoffBaseMs: file.backoff_base,
    backoffMaxMs: file.backoff_max,
    stopGraceMs: file.stop_grace,
    pendingJobsMax: file.pending_jobs_max,
    limits: file.limits && { tenants: {}, users: {}, ...file.limits },
  };
  return decodeSettings(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function classSettings(
  classes: PolicyFile["priority_classes"],
): Pick<PolicySettings, "priorityClasses" | "priorityGrants"> {
  if (classes === undefined) return {};
  const priorityClasses: Record<string, number> = {};
  const priorityGrants: Record<string, PriorityGrantSettings> = {};
  for (const [name, given] of Object.entries(classes)) {
    priorityClasses[name] = typeof given === "number" ? given : given.value;
    if (typeof given === "number") continue;
    const { queues, tenants, users } = given;
    if (queues === undefined && tenants === undefined && users === undefined) continue;
    priorityGrants[name] = { queues: queues ?? [], tenants: tenants ?? [], users: users ?? [] };
  }
  return { priorityClasses, priorityGrants };
}

/** Spreading over defaults must not put `undefined` over them, so absent keys stay absent. */
function decodeSettings(entries: readonly (readonly [string, unknown])[]): PolicySettings {
  return Object.fromEntries(entries) as PolicySettings;
}
