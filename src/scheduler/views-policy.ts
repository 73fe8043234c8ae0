// The policy as the API shows it: every field set. Pure.

import type { OwnerLimit as OwnerLimitMessage } from "../rpc/gen/trainyard/v1/OwnerLimit.ts";
import type { Policy as PolicyMessage } from "../rpc/gen/trainyard/v1/Policy.ts";
import type { OwnerLimit, Policy } from "./core/state.ts";

export function policyView(policy: Policy): PolicyMessage {
  const { priorityGrants, lasLevelsGpuMs, limits, ...rest } = policy;
  return {
    ...rest,
    priorityGrants: Object.fromEntries(
      Object.entries(priorityGrants).map(([name, { queues, tenants, users }]) => [
        name,
        { queues: [...queues], tenants: [...tenants], users: [...users] },
      ]),
    ),
    lasLevels: { gpuMs: [...lasLevelsGpuMs] },
    tenantLimits: limitViews(limits.tenants),
    userLimits: limitViews(limits.users),
  };
}

function limitViews(
  limits: Readonly<Record<string, OwnerLimit>>,
): Record<string, OwnerLimitMessage> {
  return Object.fromEntries(
    Object.entries(limits).map(([owner, limit]) => [
      owner,
      Object.fromEntries(Object.entries(limit).map(([what, value]) => [what, value ?? -1])),
    ]),
  );
}
