import { expect, test } from "vitest";
import { queuePath } from "../../base/ids.ts";
import { apply, createState } from "./apply.ts";
import { step } from "./cycle.ts";
import type { Identity } from "./job.ts";
import { jobSpec, queueSpec, World } from "./fixture.ts";
import { decodeState, encodeState } from "./snapshot.ts";
import { DEFAULT_POLICY, type Policy } from "./state.ts";

const HIGH_IS_GRANTED: Partial<Policy> = {
  priorityGrants: {
    high: { queues: ["prod/*", "ops"], tenants: ["acme"], users: ["root@*"] },
  },
};

/** What became of a submission in class `high`. */
function submitHigh(queue: string, owner: Identity): string {
  const world = new World(
    [queueSpec("prod"), queueSpec("prod/a"), queueSpec("ops"), queueSpec("b")],
    HIGH_IS_GRANTED,
  );
  const spec = jobSpec({ queue: queuePath(queue), priorityClass: "high" });
  const command = { kind: "job.submit", spec } as const;
  const { reply } = step(world.state, { command, actor: owner, request: null }, world.nowMs);
  return reply.kind === "refusal" ? `${reply.code}: ${reply.message} ${reply.remedy}` : reply.kind;
}

const ada = { tenant: "default", user: "ada" };

test("a class is for the queues, tenants and users that the policy grants it to", () => {
  expect(submitHigh("prod/a", ada)).toBe("accepted");
  expect(submitHigh("ops", ada)).toBe("accepted");
  expect(submitHigh("b", { tenant: "acme", user: "ada" })).toBe("accepted");
  expect(submitHigh("b", { tenant: "x", user: "root" })).toBe("accepted");
});

test("whoever has no grant is refused, with the class, the queue and who has it", () => {
  expect(submitHigh("b", ada)).toBe(
    'PRIORITY_NOT_GRANTED: Priority class "high" is not granted to ada@default in queue "b". ' +
      "It is for queues prod/*, ops and tenants acme and users root@*. Use one of: low, normal.",
  );
});

test("a policy is taken over whole, and saying it again changes nothing", () => {
  const world = new World();
  const policy = { ...DEFAULT_POLICY, minRunMs: 5_000, claimsMax: 1 };
  world.must({ kind: "policy.apply", policy });
  expect(world.state.policy).toEqual(policy);
  const before = world.log.length;
  world.must({ kind: "policy.apply", policy: { ...policy } });
  expect(world.log.length).toBe(before);
});

test.each([
  [{ minRunMs: -1 }, "minRunMs -1 is not a whole number of 0 or more"],
  [{ claimsMax: 1.5 }, "claimsMax 1.5 is not a whole number of 0 or more"],
  [{ backoffBaseMs: 9, backoffMaxMs: 8 }, "backoffBaseMs 9 is over backoffMaxMs of 8"],
  [{ priorityClasses: { low: 1 } }, "lacks `normal`"],
  [{ priorityGrants: { top: { queues: [], tenants: [], users: [] } } }, "is none of the classes"],
])("%j is refused, and the old policy holds", (change, message) => {
  const world = new World();
  const reply = world.send({ kind: "policy.apply", policy: { ...DEFAULT_POLICY, ...change } });
  expect(reply).toMatchObject({
    code: "POLICY_INVALID",
    message: expect.stringContaining(message),
  });
  expect(world.state.policy).toEqual(DEFAULT_POLICY);
});

test("the first event of a log is its policy, even the default one", () => {
  const state = createState();
  const command = { kind: "policy.apply", policy: DEFAULT_POLICY } as const;
  const { events } = step(state, { command, actor: "scheduler", request: null }, 1);
  expect(events.map(({ event }) => event.kind)).toEqual(["policy.set"]);
});

test("the policy is in a snapshot, and an older one that had only the half-life still folds", () => {
  const world = new World(undefined, { minRunMs: 7, usageHalfLifeMs: 8 });
  const rows = [...encodeState(world.state)];
  expect(decodeState(rows).policy).toEqual(world.policy);
  const older = rows.map(({ key, value }) => {
    if (key !== "head") return { key, value };
    const head = { ...(value as object), policy: undefined, usageHalfLifeMs: 8 };
    return { key, value: JSON.parse(JSON.stringify(head)) as unknown };
  });
  expect(decodeState(older).policy).toEqual({ ...DEFAULT_POLICY, usageHalfLifeMs: 8 });
});

test("an older log's change of the half-life, and a policy that lacks newer fields, still fold", () => {
  const state = createState();
  const row = { actor: "scheduler", request: null, atMs: 1 };
  apply(state, {
    ...row,
    seq: 1,
    event: { kind: "policy.usage-half-life-set", usageHalfLifeMs: 9 },
  });
  expect(state.policy).toEqual({ ...DEFAULT_POLICY, usageHalfLifeMs: 9 });
  const { priorityGrants: _, ...older } = { ...DEFAULT_POLICY, minRunMs: 3 };
  apply(state, { ...row, seq: 2, event: { kind: "policy.set", policy: older as Policy } });
  expect(state.policy).toEqual({ ...DEFAULT_POLICY, minRunMs: 3 });
});
