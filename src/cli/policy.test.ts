import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { policyWords } from "../config/policy-words.ts";
import type { ApplyPolicyRequest } from "../rpc/gen/trainyard/v1/ApplyPolicyRequest.ts";
import type { Policy as PolicyMessage } from "../rpc/gen/trainyard/v1/Policy.ts";
import { unary } from "../rpc/handlers.ts";
import { policyFileSchema, parsePolicy } from "../config/policy-file.ts";
import { parseYaml, renderYaml } from "../config/yaml-file.ts";
import type { Policy } from "../scheduler/core/state.ts";
import { DEFAULT_POLICY } from "../scheduler/core/state.ts";
import { cli, openWorld } from "./fixture.ts";
import { wirePolicy } from "./views/policy-view.ts";

const EVERYTHING = `
priority_classes: {normal: {value: 1, queues: ["*"]}}
usage_half_life: 1d
oversize: refuse
preemption: false
backfill: false
las_levels: [1h, 8h]
las_aging: 1d
las_learned: true
las_preemptions_max: 3
las_loss_max: 30m
cheap_loss: 1m
preemption_patience: 2m
reclaim_shares: false
share_window: 1d
victim_order: newest
min_run: 1m
restart_cost: 2m
grow_after: 5m
gang_patience: 3m
gang_claims_max: 4
gang_latest_start: 12h
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

const read = async (text: string): Promise<Policy> => {
  const yaml = await parseYaml(text, { file: "p.yaml", code: "INVALID_OPTION" });
  return { ...DEFAULT_POLICY, ...parsePolicy(yaml) };
};

it("a policy in words is a policy file that says the same", async () => {
  for (const policy of [DEFAULT_POLICY, await read(EVERYTHING)]) {
    expect(await read(await renderYaml(policyWords(policy)))).toEqual(policy);
  }
});

it("policy show prints a file, and policy apply says what it changes", async () => {
  const world = await openWorld();
  const requests: ApplyPolicyRequest[] = [];
  let held: PolicyMessage = wirePolicy(DEFAULT_POLICY);
  const at = await world.serve({
    PolicyService: {
      GetPolicy: unary(async () => ({ policy: held })),
      ApplyPolicy: unary(async (request) => {
        requests.push(request);
        held = { ...wirePolicy(DEFAULT_POLICY), ...given(request.policy ?? {}) };
        return {};
      }),
      PreviewPolicy: unary(async (request) => ({
        policy: { ...wirePolicy(DEFAULT_POLICY), ...given(request.policy ?? {}) },
        outlook: { starts: 1 },
      })),
    },
  });
  const run = (...words: readonly string[]) => cli(["policy", ...words], at, { cwd: world.root });
  const shown = await run("show");
  expect(await read(shown.stdout)).toEqual(DEFAULT_POLICY);
  const text =
    "limits: {users: {ada@acme: {gpus: 4}}}\nmin_run: 90s\npriority_classes: {normal: 1}\n";
  await writeFile(join(world.root, "p.yaml"), text);
  const changes =
    "FIELD                      FROM  TO\n" +
    "priority_classes.low       100   -\n" +
    "priority_classes.normal    500   1\n" +
    "priority_classes.high      900   -\n" +
    "min_run                    0s    1m30s\n" +
    "limits.users.ada@acme.gpus  -    4\n";
  const tried = await run("apply", "p.yaml", "--dry-run");
  expect(tried.stdout).toContain("1 waiting job would start.");
  expect(requests).toEqual([]);
  const done = await run("apply", "p.yaml");
  expect(done.stdout.replaceAll(/ +/g, " ")).toBe(changes.replaceAll(/ +/g, " "));
  expect(tried.stdout.startsWith(done.stdout)).toBe(true);
  expect(requests[0]?.policy?.minRunMs).toBe(90_000);
  expect((await run("apply", "p.yaml")).stderr).toContain("The policy is so already.");
  await world.close();
});

const given = (policy: PolicyMessage): PolicyMessage =>
  Object.fromEntries(Object.entries(policy).filter(([, value]) => (value ?? null) !== null));
