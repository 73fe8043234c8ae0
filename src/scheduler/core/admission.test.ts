import { describe, expect, it } from "vitest";
import { must } from "../../base/assert.ts";
import { jobId } from "../../base/ids.ts";
import { apply, createState } from "./apply.ts";
import { holdOf } from "./admission.ts";
import type { LoggedEvent } from "./events.ts";
import { jobSpec, World } from "./fixture.ts";
import { invariants } from "./invariants.ts";
import { decodeState, encodeState } from "./snapshot.ts";

const rows = (state: World["state"]): string => JSON.stringify([...encodeState(state)]);
const holdCode = (world: World, id: string): string => holdOf(world.state, null, jobId(id)).code;

function cancel(world: World, id: string): void {
  world.must({ kind: "job.cancel", jobId: jobId(id), why: "" });
}

describe("an array", () => {
  it("is one event, whose spec all of its jobs share", () => {
    const world = new World().nodes(1, 2);
    const before = world.log.length;
    const id = world.submit({ array: { indexes: "5,7-9", parallel: null } });
    expect(world.kinds().slice(before)).toEqual(["array.submitted"]);
    const jobs = [...world.state.jobs.values()];
    expect(jobs.map(({ id: own, array }) => [own, array?.id, array?.index])).toEqual([
      ["job-2", id, 5],
      ["job-3", id, 7],
      ["job-4", id, 8],
      ["job-5", id, 9],
    ]);
    expect(new Set(jobs.map(({ spec }) => spec)).size).toBe(1);
    expect(world.submit()).toBe("job-6");
  });

  it("is answered with its id, also the second time", () => {
    const world = new World();
    const change = { array: { indexes: "0-9", parallel: null } };
    expect(world.submitAs("r1", change)).toMatchObject({ jobId: "job-1", isRepeat: false });
    expect(world.submitAs("r1", change)).toMatchObject({ jobId: "job-1", isRepeat: true });
    expect(world.state.jobs.size).toBe(10);
  });

  it("counts in full against the limit of waiting jobs", () => {
    const world = new World(undefined, { pendingJobsMax: 10 });
    const reply = world.submitAs("r1", { array: { indexes: "0-10", parallel: null } });
    expect(reply).toMatchObject({ kind: "refusal", code: "TOO_MANY_REQUESTS" });
    expect(world.submitAs("r2", { array: { indexes: "0-9", parallel: null } }).kind).toBe(
      "accepted",
    );
  });

  it("admits an element that was released while the array was held, once that is released", () => {
    const world = new World().nodes(1, 4);
    const id = world.submit({ array: { indexes: "0-1", parallel: null } });
    for (const held of [jobId("job-2"), id]) {
      world.must({ kind: "job.hold", jobId: held, why: "" });
    }
    for (const released of [jobId("job-2"), id]) {
      world.must({ kind: "job.release", jobId: released });
    }
    expect(invariants(world.state)).toEqual([]);
    expect(world.plan().starts).toHaveLength(2);
  });

  it("keeps the turn of an element that was requeued, and gives on that of one held", () => {
    const world = new World().nodes(1, 4);
    world.submit({ array: { indexes: "0-3", parallel: 2 }, restartsMax: 1 });
    world.plan();
    world.run().end(jobId("job-2"), { reason: "exited", code: 1, message: "" });
    expect(world.phase(jobId("job-2"))).toBe("pending");
    expect(holdCode(world, "job-4")).toBe("ARRAY_PARALLEL");
    world.must({ kind: "job.hold", jobId: jobId("job-2"), why: "" });
    expect(holdCode(world, "job-4")).toBe("EVALUATING");
    world.must({ kind: "job.release", jobId: jobId("job-2") });
    expect(holdCode(world, "job-2")).toBe("ARRAY_PARALLEL");
    cancel(world, "job-4");
    expect(holdCode(world, "job-2")).toBe("EVALUATING");
    expect(invariants(world.state)).toEqual([]);
  });

  it("withdraws what comes back while it is held", () => {
    const world = new World().nodes(1, 1);
    const id = world.submit({ array: { indexes: "0-1", parallel: null }, restartsMax: 1 });
    world.plan();
    world.must({ kind: "job.hold", jobId: id, why: "no more" });
    world.run().end(jobId("job-2"), { reason: "exited", code: 1, message: "" });
    expect([holdCode(world, "job-2"), holdCode(world, "job-3")]).toEqual([
      "HELD_BY_USER",
      "HELD_BY_USER",
    ]);
    expect(invariants(world.state)).toEqual([]);
  });

  it("tells its elements who they are", async () => {
    const { desiredFor } = await import("./desired.ts");
    const world = new World().nodes(1, 1);
    world.submit({ array: { indexes: "3", parallel: null }, env: { A: "b" } });
    world.plan();
    const [node] = world.state.nodes.keys();
    const [task] = desiredFor(world.state, must(node, "node"));
    expect(task?.spec.env).toEqual({
      A: "b",
      TRAINYARD_ARRAY_ID: "job-1",
      TRAINYARD_ARRAY_INDEX: "3",
    });
  });
});

describe("a chain of jobs that wait for each other", () => {
  it("falls as a whole, however long it is", () => {
    const world = new World();
    const first = world.submit();
    for (let n = 1; n < 5_000; n += 1) {
      world.submit({ after: [{ job: jobId(`job-${n}`), on: "ok" }] });
    }
    cancel(world, first);
    expect(world.state.ended.size).toBe(5_000);
    expect(world.job(jobId("job-5000")).phase).toMatchObject({
      kind: "cancelled",
      by: "scheduler",
      why: "it waited for job-4999 to succeed, which was cancelled",
    });
  });

  it("ends each job once, also one that can be reached in two ways", () => {
    const world = new World();
    const a = world.submit();
    const b = world.submit({ after: [{ job: a, on: "ok" }] });
    world.submit({
      after: [
        { job: a, on: "ok" },
        { job: b, on: "ok" },
      ],
    });
    cancel(world, a);
    expect(world.kinds().filter((kind) => kind === "job.ended")).toHaveLength(3);
    expect(invariants(world.state)).toEqual([]);
  });
});

describe("a restart", () => {
  it("folds arrays, waits and holds to the same state, and so does a snapshot", () => {
    const world = new World().nodes(1, 2);
    const a = world.submit({ array: { indexes: "0-4", parallel: 2 } });
    const b = world.submit({ after: [{ job: a, on: "any" }], isHeld: true });
    world.submit({ array: { indexes: "0-2", parallel: null }, after: [{ job: b, on: "failed" }] });
    world.must({ kind: "job.hold", jobId: jobId("job-6"), why: "later" });
    world.plan();
    world.run().end(jobId("job-2"));
    const folded = createState();
    for (const logged of world.log) apply(folded, logged);
    const restored = decodeState(JSON.parse(rows(world.state)));
    expect(rows(folded)).toBe(rows(world.state));
    expect(rows(restored)).toBe(rows(world.state));
    expect([invariants(folded), invariants(restored)]).toEqual([[], []]);
    // Both go on alike.
    const event = { kind: "job.released", jobId: b } as const;
    const seq = world.state.seq + 1;
    const logged: LoggedEvent = { seq, atMs: world.nowMs, actor: "x", request: null, event };
    for (const state of [folded, restored]) apply(state, logged);
    expect(rows(restored)).toBe(rows(folded));
  });

  it("reads submissions of versions that knew nothing of this", () => {
    const state = createState();
    const world = new World();
    for (const logged of world.log) apply(state, logged);
    const { array: _a, after: _b, beginAtMs: _c, isHeld: _d, ...old } = jobSpec();
    const owner = { tenant: "default", user: "ann" };
    const row = {
      seq: state.seq + 1,
      atMs: state.atMs,
      actor: "ann@default",
      request: null,
      event: { kind: "job.submitted", jobId: "job-1", spec: old, owner },
    };
    apply(state, JSON.parse(JSON.stringify(row)));
    expect(state.jobs.get(jobId("job-1"))).toMatchObject({
      array: null,
      waitsFor: [],
      spec: { after: [], isHeld: false },
    });
    expect(invariants(state)).toEqual([]);
  });
});
