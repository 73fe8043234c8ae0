import { expect, it } from "vitest";
import { policyFileSchema, parsePolicy } from "../config/policy-file.ts";
import { parseYaml } from "../config/yaml-file.ts";
import type { Policy } from "../scheduler/core/state.ts";
import { DEFAULT_POLICY } from "../scheduler/core/state.ts";

const EVERYTHING = `
priority_classes: {normal: {value: 1, queues: ["*"]}}
usage_half_life: 1d
oversize: refuse
preemption: false
backfill: false
las_levels: [1h, 8h]
las_aging: 1d
las_preemptions_max: 3
las_loss_max: 30m
cheap_loss: 1m
preemption_patience: 2m
reclaim_shares: false
min_run: 1m
restart_cost: 2m
gang_patience: 3m
gang_claims_max: 4
backoff_base: 5s
backoff_max: 6s
stop_grace: 7s
pending_jobs_max: 8
limits: {tenants: {default: {queued: 9}}, users: {ada@acme: {running: none, gpus: 4}}}
`;

it("the policy file can set every field of the scheduler's policy, and no other", async () => {
  const yaml = await parseYaml(EVERYTHING, { file: "p.yaml", code: "INVALID_OPTION" });
  const policy: Policy = { ...DEFAULT_POLICY, ...parsePolicy(yaml) };
  expect(Object.keys(parsePolicy(yaml)).sort()).toEqual(Object.keys(DEFAULT_POLICY).sort());
  expect(policy).not.toEqual(DEFAULT_POLICY);
  // `priority_classes` says both what classes there are and whom they are granted to.
  expect(Object.keys(policyFileSchema.shape)).toHaveLength(Object.keys(DEFAULT_POLICY).length - 1);
});
