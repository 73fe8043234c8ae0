// The policy between its file and the wire.

import type { PolicySettings } from "../../config/policy-file.ts";
import { policyWords } from "../../config/policy-words.ts";
import type { OwnerLimit } from "../../rpc/gen/trainyard/v1/OwnerLimit.ts";
import type { Policy, Policy__Output } from "../../rpc/gen/trainyard/v1/Policy.ts";
import type { PriorityGrant } from "../../rpc/gen/trainyard/v1/PriorityGrant.ts";
import type { Fields, FieldValue } from "./field-change.ts";

type Limits = NonNullable<PolicySettings["limits"]>["users"];

/** What the file does not name stays absent. */
export function wirePolicy(settings: PolicySettings): Policy {
  const { lasLevelsGpuMs, limits, priorityGrants, priorityClasses, ...rest } = settings;
  const grants = Object.entries(priorityGrants ?? {}).map(
    ([name, { queues, tenants, users }]): [string, PriorityGrant] => {
      return [name, { queues: [...queues], tenants: [...tenants], users: [...users] }];
    },
  );
  return {
    ...rest,
    priorityClasses: priorityClasses ?? {},
    priorityGrants: Object.fromEntries(grants),
    ...(lasLevelsGpuMs === undefined ? {} : { lasLevels: { gpuMs: [...lasLevelsGpuMs] } }),
    tenantLimits: wireLimits(limits?.tenants ?? {}),
    userLimits: wireLimits(limits?.users ?? {}),
  };
}

function wireLimits(limits: Limits): Record<string, OwnerLimit> {
  return Object.fromEntries(
    Object.entries(limits).map(([owner, limit]) => [
      owner,
      Object.fromEntries(Object.entries(limit).map(([what, value]) => [what, value ?? -1])),
    ]),
  );
}

/** In the words of the file. The scheduler's answers have every field set. */
export function policyFields(policy: Policy__Output): Readonly<Record<string, unknown>> {
  return policyWords({
    priorityClasses: policy.priorityClasses,
    priorityGrants: policy.priorityGrants,
    usageHalfLifeMs: policy.usageHalfLifeMs ?? 0,
    oversize: policy.oversize === "refuse" ? "refuse" : "hold",
    isPreemptionEnabled: policy.isPreemptionEnabled ?? true,
    lasLevelsGpuMs: policy.lasLevels?.gpuMs ?? [],
    lasAgingMs: policy.lasAgingMs ?? 0,
    isLasLearned: policy.isLasLearned ?? false,
    lasPreemptionsMax: policy.lasPreemptionsMax ?? 0,
    lasLossMaxMs: policy.lasLossMaxMs ?? 0,
    growAfterMs: policy.growAfterMs ?? 0,
    isBackfillEnabled: policy.isBackfillEnabled ?? true,
    isShareReclaimed: policy.isShareReclaimed ?? true,
    shareWindowMs: policy.shareWindowMs ?? 0,
    victimOrder: policy.victimOrder === "newest" ? "newest" : "least-lost",
    minRunMs: policy.minRunMs ?? 0,
    cheapLossMs: policy.cheapLossMs ?? 0,
    preemptionPatienceMs: policy.preemptionPatienceMs ?? 0,
    restartCostMs: policy.restartCostMs ?? 0,
    gangPatienceMs: policy.gangPatienceMs ?? 0,
    claimsMax: policy.claimsMax ?? 0,
    gangLatestStartMs: policy.gangLatestStartMs ?? 0,
    backoffBaseMs: policy.backoffBaseMs ?? 0,
    backoffMaxMs: policy.backoffMaxMs ?? 0,
    stopGraceMs: policy.stopGraceMs ?? 0,
    pendingJobsMax: policy.pendingJobsMax ?? 0,
    limits: { tenants: limitsOf(policy.tenantLimits), users: limitsOf(policy.userLimits) },
  });
}

function limitsOf(limits: Policy__Output["userLimits"]): Limits {
  return Object.fromEntries(
    Object.entries(limits).map(([owner, { queued, running, gpus }]) => {
      const given = Object.entries({ queued, running, gpus }).flatMap(([what, value]) =>
        value === undefined ? [] : [[what, value === -1 ? null : value] as const],
      );
      return [owner, Object.fromEntries(given)];
    }),
  );
}

/** `{a: {b: 1}}` as `a.b`; a list is one value. */
export function flatFields(value: object, above = ""): Fields {
  const fields: Record<string, FieldValue> = {};
  for (const [key, part] of Object.entries(value)) {
    const name = above + key;
    if (Array.isArray(part)) fields[name] = `[${part.join(", ")}]`;
    else if (typeof part === "object" && part !== null) {
      Object.assign(fields, flatFields(part, `${name}.`));
    } else fields[name] = part;
  }
  return fields;
}
