// A policy in the words of its file: the inverse of what policy-file.ts reads.

import type { PolicySettings } from "./policy-file.ts";
import { formatDuration } from "./words.ts";

/** Keys and values of a policy file, in the order in which people read it. */
export function policyWords(settings: Required<PolicySettings>): Readonly<Record<string, unknown>> {
  const { limits } = settings;
  return {
    priority_classes: classWords(settings),
    limits: { tenants: limitWords(limits.tenants), users: limitWords(limits.users) },
    usage_half_life: formatDuration(settings.usageHalfLifeMs),
    oversize: settings.oversize,
    preemption: settings.isPreemptionEnabled,
    reclaim_shares: settings.isShareReclaimed,
    share_window: formatDuration(settings.shareWindowMs),
    victim_order: settings.victimOrder,
    preemption_patience: formatDuration(settings.preemptionPatienceMs),
    cheap_loss: formatDuration(settings.cheapLossMs),
    restart_cost: formatDuration(settings.restartCostMs),
    min_run: formatDuration(settings.minRunMs),
    las_levels: settings.lasLevelsGpuMs.map(formatDuration),
    las_aging: formatDuration(settings.lasAgingMs),
    las_learned: settings.isLasLearned,
    las_preemptions_max: settings.lasPreemptionsMax,
    las_loss_max: formatDuration(settings.lasLossMaxMs),
    grow_after: formatDuration(settings.growAfterMs),
    backfill: settings.isBackfillEnabled,
    gang_patience: formatDuration(settings.gangPatienceMs),
    gang_claims_max: settings.claimsMax,
    gang_latest_start: formatDuration(settings.gangLatestStartMs),
    backoff_base: formatDuration(settings.backoffBaseMs),
    backoff_max: formatDuration(settings.backoffMaxMs),
    stop_grace: formatDuration(settings.stopGraceMs),
    pending_jobs_max: settings.pendingJobsMax,
  };
}

function classWords({ priorityClasses, priorityGrants }: Required<PolicySettings>): object {
  return Object.fromEntries(
    Object.entries(priorityClasses).map(([name, value]) => {
      const grant = priorityGrants[name];
      return [name, grant === undefined ? value : { value, ...grant }];
    }),
  );
}

function limitWords(limits: Required<PolicySettings>["limits"]["users"]): object {
  return Object.fromEntries(
    Object.entries(limits).map(([owner, limit]) => [
      owner,
      Object.fromEntries(Object.entries(limit).map(([what, value]) => [what, value ?? "none"])),
    ]),
  );
}
