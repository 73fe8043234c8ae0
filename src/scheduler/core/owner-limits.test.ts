import { describe, expect, it } from "vitest";
import { type JobId, jobId, queuePath } from "../../base/ids.ts";
import { planStep, step } from "./cycle.ts";
import { jobSpec, queueSpec, World } from "./fixture.ts";
import type { Identity } from "./job.ts";
import { OwnerBook, ownerLimit } from "./owner-limits.ts";
import { plan } from "./plan.ts";
import type { OwnerLimits, Policy } from "./state.ts";
import { verifyPlan } from "./verify.ts";

const ADA: Identity = { tenant: "acme", user: "ada" };
const BOB: Identity = { tenant: "acme", user: "bob" };
const EVE: Identity = { tenant: "other", user: "eve" };

const NO_LIMITS: OwnerLimits = { tenants: {}, users: {} };

function world(limits: Partial<OwnerLimits>, policy: Partial<Policy> = {}): World {
  const queues = [queueSpec("default"), queueSpec("second")];
  return new World(queues, { ...policy, limits: { ...NO_LIMITS, ...limits } }).nodes(2, 8);
}

function submit(to: World, actor: Identity, change: Parameters<typeof jobSpec>[0] = {}) {
  const command = { kind: "job.submit", spec: jobSpec(change) } as const;
  return step(to.state, { command, actor, request: null }, to.nowMs).reply;
}

const running = (of: World): readonly JobId[] => [...of.state.active.keys()];
const holds = (of: World) => [...planStep(of.state, of.nowMs).plan.holds];

describe("the limit of an owner", () => {
  it("is its own where its entry says one, and else that of the default", () => {
    const users = { default: { queued: 1, running: 2 }, "ada@acme": { running: null, gpus: 3 } };
    const limits = { tenants: { default: { gpus: 9 } }, users };
    const ada = { kind: "user", name: "ada@acme" } as const;
    expect(ownerLimit(limits, ada, "queued")).toBe(1);
    expect(ownerLimit(limits, ada, "running")).toBe(null);
    expect(ownerLimit(limits, ada, "gpus")).toBe(3);
    expect(ownerLimit(limits, { kind: "tenant", name: "ada@acme" }, "gpus")).toBe(9);
    expect(ownerLimit(limits, { kind: "user", name: "constructor" }, "gpus")).toBe(null);
  });

  it("needs no look at owners when none is on what runs", () => {
    const users = { default: { queued: 1, running: null } };
    expect(new OwnerBook({ ...NO_LIMITS, users }).hasLimits).toBe(false);
  });
});

describe("jobs that wait beyond the limit", () => {
  it("are refused with the numbers, for the user and for the tenant", () => {
    const small = world({ tenants: { acme: { queued: 3 } }, users: { default: { queued: 2 } } });
    submit(small, ADA);
    submit(small, ADA, { isHeld: true });
    expect(submit(small, ADA)).toMatchObject({
      code: "TOO_MANY_QUEUED",
      message: "2 jobs of user ada@acme wait already and this adds 1; the limit is 2.",
    });
    submit(small, BOB);
    expect(submit(small, BOB)).toMatchObject({
      code: "TOO_MANY_QUEUED",
      message: "3 jobs of tenant acme wait already and this adds 1; the limit is 3.",
    });
    expect(submit(small, EVE).kind).toBe("accepted");
  });

  it("are counted element by element, and no longer once they run", () => {
    const small = world({ users: { default: { queued: 4 } } });
    const array = { indexes: "0-4", parallel: null };
    expect(submit(small, ADA, { array })).toMatchObject({ code: "TOO_MANY_QUEUED" });
    expect(submit(small, ADA, { array: { ...array, indexes: "0-3" } }).kind).toBe("accepted");
    small.plan();
    expect(submit(small, ADA).kind).toBe("accepted");
  });
});

describe("jobs beyond what may run", () => {
  it("wait with the numbers, in every queue, and block nobody else", () => {
    const small = world({ users: { default: { running: 1 } } });
    submit(small, ADA);
    submit(small, ADA);
    submit(small, ADA, { queue: queuePath("second") });
    submit(small, BOB);
    const limit = { owner: "ada@acme", what: "running", asked: 1, used: 1, limit: 1 };
    expect(holds(small)).toEqual([
      ["job-2", { code: "USER_LIMIT", ...limit }],
      ["job-3", { code: "USER_LIMIT", ...limit }],
    ]);
    expect(running(small)).toEqual(["job-1", "job-4"]);
    small.run().end(jobId("job-1"));
    small.plan();
    expect(running(small)).toEqual(["job-4", "job-3"]);
  });

  it("are counted in GPUs too, and jobs without any are not in the way", () => {
    const small = world({ tenants: { acme: { gpus: 4 } } });
    submit(small, ADA, { gpus: 3 });
    submit(small, BOB, { gpus: 2 });
    submit(small, BOB, { gpus: 0 });
    expect(holds(small)).toEqual([
      ["job-2", { code: "TENANT_LIMIT", owner: "acme", what: "gpus", asked: 2, used: 3, limit: 4 }],
    ]);
    expect(running(small)).toEqual(["job-1", "job-3"]);
  });

  it("are not let in by evicting others, nor do they stop a queue that is strictly in order", () => {
    const users = { "ada@acme": { gpus: 8 } };
    const small = world({ users }, { isBackfillEnabled: false });
    submit(small, ADA, { gpus: 8 });
    submit(small, BOB, { gpus: 8, priorityClass: "low" });
    small.plan();
    small.run();
    submit(small, ADA, { gpus: 8, priorityClass: "high" });
    submit(small, BOB, { gpus: 0, priorityClass: "low" });
    expect(small.plan().evictions).toEqual([]);
    expect(running(small)).toEqual(["job-1", "job-2", "job-4"]);
  });

  it("are given up when the limit is lowered under a reservation", () => {
    const small = world({});
    submit(small, BOB, { gpus: 8, priorityClass: "low" });
    submit(small, BOB, { gpus: 8, priorityClass: "low" });
    small.plan();
    small.run();
    submit(small, ADA, { gpus: 8, priorityClass: "high" });
    expect(small.plan().reservations).toHaveLength(1);
    const limits = { ...NO_LIMITS, users: { "ada@acme": { running: 0 } } };
    small.must({ kind: "policy.apply", policy: { ...small.policy, limits } });
    expect(small.plan().drops).toEqual([{ jobId: "job-3", why: "limit_lowered" }]);
  });
});

it("a plan that starts more than an owner may have is not proven", () => {
  const small = world({});
  submit(small, ADA, { gpus: 2 });
  submit(small, ADA, { gpus: 2 });
  const proposed = plan(small.state, small.nowMs, small.policy);
  const faultsWith = (limits: Partial<OwnerLimits>): readonly string[] =>
    verifyPlan(small.state, proposed, {
      ...small.policy,
      limits: { ...NO_LIMITS, ...limits },
    });
  expect(faultsWith({ users: { default: { running: 2, gpus: 4 } } })).toEqual([]);
  expect(faultsWith({ users: { default: { running: 1 } } })).toEqual([
    "ada@acme gets 2 jobs under way and may have 1",
  ]);
  expect(faultsWith({ tenants: { acme: { gpus: 3 } } })).toEqual([
    "acme gets 4 GPUs and may hold 3",
  ]);
});
