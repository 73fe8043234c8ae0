import { afterEach, beforeEach, expect, it } from "vitest";
import { HOUR_MS } from "../base/time.ts";
import type { Connection } from "../rpc/client.ts";
import { serveForTest, type WireFixture } from "../rpc/fixture.ts";
import type { Policy as PolicyMessage } from "../rpc/gen/trainyard/v1/Policy.ts";
import { decodeService } from "../rpc/loader.ts";
import { RemoteError } from "../rpc/remote-error.ts";
import { queueSpec, World } from "./core/fixture.ts";
import { DEFAULT_POLICY, type Policy } from "./core/state.ts";
import { TestBrain } from "./service-fixture.ts";
import { createPolicyService } from "./service-policy.ts";

const policies = decodeService("PolicyService");

let wire: WireFixture;
let brain: TestBrain;
let client: Connection;

beforeEach(async () => {
  brain = new TestBrain(new World([queueSpec("default")]));
  wire = await serveForTest({ PolicyService: createPolicyService(brain) });
  client = wire.connect();
});
afterEach(() => wire.stop());

const apply = (policy: PolicyMessage, requestId = "r1") =>
  client.unary(policies.ApplyPolicy, { requestId, policy });

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  return error instanceof RemoteError ? `${error.code} ${error.field}`.trim() : String(error);
}

const OTHER: Policy = {
  priorityClasses: { normal: 7, urgent: 9 },
  priorityGrants: { urgent: { queues: ["prod/*"], tenants: [], users: ["root@acme"] } },
  usageHalfLifeMs: 0,
  oversize: "refuse",
  isPreemptionEnabled: false,
  lasLevelsGpuMs: [],
  lasAgingMs: 1,
  isLasLearned: true,
  lasPreemptionsMax: 2,
  lasLossMaxMs: 3,
  growAfterMs: 13,
  isBackfillEnabled: false,
  isShareReclaimed: false,
  shareWindowMs: 98,
  victimOrder: "newest",
  minRunMs: 4,
  cheapLossMs: 5,
  preemptionPatienceMs: 6,
  restartCostMs: 7,
  gangPatienceMs: 8,
  claimsMax: 9,
  gangLatestStartMs: 99,
  backoffBaseMs: 10,
  backoffMaxMs: 11,
  stopGraceMs: 12,
  pendingJobsMax: 13,
  limits: { tenants: { default: { gpus: 4 } }, users: { "a@b": { running: null, queued: 0 } } },
};

it("a policy comes back as it was: no field is lost on the way", async () => {
  brain.world.state.policy = OTHER;
  const { policy } = await client.unary(policies.GetPolicy, {});
  brain.world.state.policy = DEFAULT_POLICY;
  await apply(policy ?? {});
  expect(brain.world.policy).toEqual(OTHER);
  await apply({}, "r2");
  expect(brain.world.policy).toEqual(DEFAULT_POLICY);
});

it.each<readonly [PolicyMessage, string]>([
  [{ priorityClasses: { high: 1 } }, "POLICY_INVALID priorityClasses"],
  [{ backoffBaseMs: 2, backoffMaxMs: 1 }, "POLICY_INVALID backoffBaseMs"],
  [{ claimsMax: -1 }, "INVALID_SPEC policy.claimsMax"],
  [{ lasLevels: { gpuMs: [2 * HOUR_MS, HOUR_MS] } }, "INVALID_SPEC policy.lasLevels.gpuMs[1]"],
  [{ oversize: "shrink" }, "INVALID_SPEC policy.oversize"],
  [{ userLimits: { bob: { gpus: 1 } } }, "POLICY_INVALID limits.users.bob"],
  [{ userLimits: { "a@b": { gpus: -2 } } }, "INVALID_SPEC policy.userLimits.a@b.gpus"],
])("%j is refused, and the old policy holds", async (policy, refusal) => {
  const before = brain.world.policy;
  expect(await refusalOf(apply(policy))).toBe(refusal);
  const preview = client.unary(policies.PreviewPolicy, { policy });
  expect(await refusalOf(preview)).toBe(refusal);
  expect(brain.world.policy).toBe(before);
});

it("a preview says what would hold and whom it would strand, and changes nothing", async () => {
  brain.world.nodes(1, 4);
  brain.world.submit({ gpus: 4 });
  brain.plan();
  brain.world.submit({ gpus: 3 });
  const policy = { userLimits: { default: { gpus: 2 } } };
  const preview = await client.unary(policies.PreviewPolicy, { policy });
  expect(preview.outlook).toMatchObject({
    preemptions: [],
    stranded: [{ queue: "default", count: 1, jobs: ["job-2"] }],
  });
  expect(preview.policy).toMatchObject({ pendingJobsMax: DEFAULT_POLICY.pendingJobsMax });
  expect(brain.world.policy).toEqual(DEFAULT_POLICY);
});
