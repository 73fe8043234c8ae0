import { afterEach, beforeEach, expect, test } from "vitest";
import { lossCurve } from "../../test/property/tracker-points.ts";
import { batchOf, currentPoints, TrackerWorld } from "../../test/property/tracker-world.ts";
import { StoreEnvironment } from "../store/environment.ts";
import { METRICS_PER_RUN_MAX } from "./core/limits.ts";
import type { RunCreation } from "./run-ops.ts";
import type { RunPage, RunView, Tracker } from "./tracker.ts";

let world: TrackerWorld;
let tracker: Tracker;

beforeEach(async () => {
  world = new TrackerWorld();
  tracker = await world.open();
});

afterEach(() => world.remove());

const creation = (id: string, more: Partial<RunCreation> = {}): RunCreation => ({
  id,
  experiment: "",
  name: "",
  owner: { tenant: "acme", user: "ann" },
  params: new Map(),
  tags: new Map(),
  ...more,
});

const query = {
  runId: "job-1",
  metric: "loss",
  fromStep: null,
  toStep: null,
  points: 0,
  includeSuperseded: false,
};

test("what was acknowledged is there after a restart, with its position", async () => {
  const points = lossCurve(3_000);
  const ack = await tracker.storeBatch(batchOf({ from: 0, to: 500, points }));
  expect(ack).toEqual({ source: "job-1/1/0", position: 500, error: "" });
  tracker = await world.reopen();
  expect(await currentPoints(tracker)).toEqual(points);
  expect(tracker.sourcePosition("job-1/1/0")).toBe(500);
});

test("a batch that comes again is acknowledged again and not stored again", async () => {
  const batch = batchOf({ from: 0, to: 10, points: lossCurve(5) });
  await tracker.storeBatch(batch);
  const acks = await Promise.all([tracker.storeBatch(batch), tracker.storeBatch(batch)]);
  expect(acks.map(({ position }) => position)).toEqual([10, 10]);
  expect(await currentPoints(tracker)).toHaveLength(5);
});

test.each([
  ["overlaps what is stored", 5, 20],
  ["leaves a gap", 11, 20],
])("a batch that %s is not stored: its sender is told where to go on", async (_, from, to) => {
  await tracker.storeBatch(batchOf({ from: 0, to: 10, points: lossCurve(5) }));
  const ack = await tracker.storeBatch(batchOf({ from, to, points: lossCurve(9) }));
  expect(ack).toMatchObject({ position: 10, error: "" });
  expect(await currentPoints(tracker)).toHaveLength(5);
});

test("a batch that makes no sense is dropped for good: the position goes past it", async () => {
  const batch = batchOf({ from: 0, to: 10, points: [{ step: 0.5, timestampMs: 0, value: 1 }] });
  const ack = await tracker.storeBatch(batch);
  expect(ack.position).toBe(10);
  expect(ack.error).toBe("points.step has 0.5. Use integers within ±(2^53 - 1).");
});

test("a metric name that is too long costs its own points only", async () => {
  const batch = {
    ...batchOf({ from: 0, to: 10, points: lossCurve(2) }),
    metrics: ["loss", "x".repeat(300)],
  };
  const points = { ...batch.points, metric: [0, 1] };
  const ack = await tracker.storeBatch({ ...batch, points });
  expect(ack.error).toMatch(/^1 of 2 points dropped: metrics "x+\.\.\." has 300 characters/);
  expect(await currentPoints(tracker)).toEqual(lossCurve(1));
});

test("positions that are no range are refused without moving the source", async () => {
  const ack = await tracker.storeBatch(batchOf({ from: 7, to: 3, points: [] }));
  expect(ack.error).toMatch(/positions \[7, 3\)/);
  expect(tracker.sourcePosition("job-1/1/0")).toBe(0);
});

test("a run takes a limited number of metrics; known ones go on", async () => {
  const metrics = Array.from({ length: METRICS_PER_RUN_MAX }, (_, i) => `m${i}`);
  const columns = metrics.map((_, i) => i);
  const points = { metric: columns, step: columns, timestampMs: columns, value: columns };
  const first = { ...batchOf({ from: 0, to: 1, points: [] }), metrics, points };
  expect((await tracker.storeBatch(first)).error).toBe("");
  const more = batchOf({ from: 1, to: 2, points: lossCurve(3), metric: "new" });
  expect((await tracker.storeBatch(more)).error).toMatch(/3 of 3 points dropped.*10000 metrics/);
  const known = batchOf({ from: 2, to: 3, points: lossCurve(3, 20_000), metric: "m5" });
  expect((await tracker.storeBatch(known)).error).toBe("");
});

test("metrics that come before anybody announced their run make it; the announcement fills it in", async () => {
  await tracker.storeBatch(batchOf({ from: 0, to: 10, points: lossCurve(5) }));
  expect(tracker.getRun("job-1")).toMatchObject({
    run: { experiment: "default", status: "RUNNING", origin: "metrics" },
    metrics: ["loss"],
  });
  const params = new Map([["lr", "0.1"]]);
  await tracker.createRun("r1", creation("job-1", { experiment: "nlp", name: "gpt", params }));
  expect(tracker.getRun("job-1")).toMatchObject({
    run: { experiment: "nlp", name: "gpt", user: "ann", params },
    metrics: ["loss"],
  });
  expect(tracker.listRuns({ experiment: "default", pageSize: 0, pageToken: "" })).toEqual({
    runs: [],
    nextToken: "",
  });
});

test("the same request makes one run, also without a run id; the id for something else is refused", async () => {
  const first = await tracker.createRun("r1", creation(""));
  const again = await tracker.createRun("r1", creation(""));
  expect(again).toEqual(first);
  expect(await tracker.createRun("r1", creation("other"))).toMatchObject({
    kind: "refusal",
    code: "REQUEST_ID_REUSED",
  });
});

test("a late repeat of an update does not undo a later one", async () => {
  await tracker.createRun("r1", creation("a"));
  const update = (requestId: string, team: string): Promise<unknown> =>
    tracker.updateRun(requestId, "a", {
      status: null,
      params: new Map(),
      tags: new Map([["team", team]]),
    });
  await update("r2", "first");
  await update("r3", "second");
  await update("r2", "first");
  expect(tracker.getRun("a")).toMatchObject({ run: { tags: new Map([["team", "second"]]) } });
});

test("a refused change changes nothing, neither now nor after a restart", async () => {
  await tracker.createRun("r1", creation("a", { params: new Map([["lr", "0.1"]]) }));
  const refused = await tracker.updateRun("r2", "a", {
    status: "FINISHED",
    params: new Map([
      ["new", "1"],
      ["lr", "0.2"],
    ]),
    tags: new Map([["t", "1"]]),
  });
  expect(refused).toMatchObject({ kind: "refusal", field: "params.lr" });
  tracker = await world.reopen();
  expect(tracker.getRun("a")).toMatchObject({
    run: { status: "RUNNING", params: new Map([["lr", "0.1"]]), tags: new Map() },
  });
});

test("request ids are forgotten after a day", async () => {
  await tracker.createRun("r1", creation("a"));
  world.nowMs += 25 * 3_600_000;
  await tracker.createRun("r2", creation("b"));
  expect(await tracker.createRun("r1", creation("c"))).toMatchObject({ run: { id: "c" } });
});

test("a mutating call without a request id is refused", async () => {
  const refused = await tracker.createRun("", creation("a"));
  expect(refused).toMatchObject({ kind: "refusal", field: "request_id" });
});

function idsOf(page: unknown): readonly string[] {
  return (page as RunPage).runs.map(({ run }: RunView) => run.id);
}

test("runs list newest first, page by page, one experiment or all", async () => {
  for (let i = 1; i <= 7; i++) {
    await tracker.createRun(`r${i}`, creation(`run-${i}`, { experiment: i % 2 ? "odd" : "even" }));
  }
  const first = tracker.listRuns({ experiment: "odd", pageSize: 3, pageToken: "" });
  expect(idsOf(first)).toEqual(["run-7", "run-5", "run-3"]);
  const { nextToken } = first as RunPage;
  const second = tracker.listRuns({ experiment: "odd", pageSize: 3, pageToken: nextToken });
  expect(idsOf(second)).toEqual(["run-1"]);
  expect(second).toMatchObject({ nextToken: "" });
  expect(idsOf(tracker.listRuns({ experiment: "", pageSize: 0, pageToken: "" }))).toHaveLength(7);
});

test.each([
  [{ experiment: "", pageSize: -1, pageToken: "" }, "page_size"],
  [{ experiment: "", pageSize: 0, pageToken: "xyz" }, "page_token"],
])("a page that can't be is refused with its field", (asked, field) => {
  expect(tracker.listRuns(asked)).toMatchObject({ kind: "refusal", field });
});

test("what a later attempt does again is superseded, but still there when asked for", async () => {
  await tracker.storeBatch(batchOf({ from: 0, to: 1, points: lossCurve(100) }));
  const again = lossCurve(20, 60).map((point) => ({ ...point, value: 7 }));
  await tracker.storeBatch(batchOf({ from: 0, to: 1, points: again, attempt: 2 }));
  expect(await currentPoints(tracker)).toEqual([...lossCurve(60), ...again]);
  expect(tracker.latestMetrics("job-1")).toEqual([{ metric: "loss", point: again.at(-1) }]);
  const all = await tracker.queryMetric({ ...query, includeSuperseded: true });
  expect(all).toMatchObject({ total: 120 });
  const range = await tracker.queryMetric({ ...query, fromStep: 50, toStep: 69 });
  expect(range).toMatchObject({ total: 20 });
});

test("points that arrive out of order come back in order", async () => {
  const points = lossCurve(2_000);
  await tracker.storeBatch(batchOf({ from: 0, to: 1, points: points.slice(1_000) }));
  await tracker.storeBatch(batchOf({ from: 1, to: 2, points: points.slice(0, 1_000) }));
  expect(await currentPoints(tracker)).toEqual(points);
});

test("a metric that isn't there is refused with those that are", async () => {
  await tracker.storeBatch(batchOf({ from: 0, to: 1, points: lossCurve(1) }));
  expect(await tracker.queryMetric({ ...query, metric: "los" })).toMatchObject({
    code: "METRIC_NOT_FOUND",
    remedy: "It has loss.",
  });
  expect(await tracker.queryMetric({ ...query, runId: "nope" })).toMatchObject({
    code: "RUN_NOT_FOUND",
  });
  expect(await tracker.queryMetric({ ...query, points: -5 })).toMatchObject({ field: "points" });
});

test("a client's points are stored once per request, all or none", async () => {
  const { metrics, points } = batchOf({ from: 0, to: 0, points: lossCurve(5) });
  const batch = { runId: "a", metrics, points };
  expect(await tracker.logMetrics("l0", batch)).toMatchObject({ code: "RUN_NOT_FOUND" });
  await tracker.createRun("r1", creation("a"));
  expect(await tracker.logMetrics("l1", batch)).toBeNull();
  expect(await tracker.logMetrics("l1", batch)).toBeNull();
  expect(await tracker.logMetrics("l2", { ...batch, metrics: ["loss", ""] })).toMatchObject({
    kind: "refusal",
  });
  expect(await currentPoints(tracker, "a")).toHaveLength(5);
});

test("closing writes what was submitted and takes no more", async () => {
  const submitted = tracker.storeBatch(batchOf({ from: 0, to: 10, points: lossCurve(5) }));
  const closed = world.close();
  await expect(tracker.storeBatch(batchOf({ from: 10, to: 20, points: [] }))).rejects.toThrow(
    /stopping/,
  );
  await closed;
  expect(await submitted).toMatchObject({ position: 10 });
  expect(await currentPoints(await world.open())).toHaveLength(5);
});

test("a full queue refuses instead of growing, and takes more once it is drained", async () => {
  const points = lossCurve(100_000);
  const batch = (i: number): ReturnType<typeof batchOf> =>
    batchOf({ from: i, to: i + 1, points, source: "s" });
  const results = Array.from({ length: 8 }, (_, i) => tracker.storeBatch(batch(i)));
  const settled = await Promise.allSettled(results);
  expect(settled.at(-1)).toMatchObject({
    status: "rejected",
    reason: { code: "TOO_MANY_REQUESTS" },
  });
  await tracker.space();
  const position = tracker.sourcePosition("s");
  expect(await tracker.storeBatch(batch(position))).toMatchObject({ position: position + 1 });
});

test("a folder of a newer version is refused, not guessed at", async () => {
  await world.close();
  const folder = `${world.folder}/newer`;
  const format = { name: "tracker", version: 99, migrations: new Map() };
  await (await StoreEnvironment.open({ folder, format })).close();
  await expect(world.open({ folder })).rejects.toMatchObject({ code: "DATA_FORMAT_UNKNOWN" });
});

const DAY_MS = 24 * 3_600_000;

/** Lets others begin to send, until every known source has been looked at. */
async function othersCome(): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    const runId = `other-${world.requestId()}`;
    const source = `${runId}/1/0`;
    await tracker.storeBatch(batchOf({ from: 0, to: 1, points: [], runId, source }));
  }
}

async function endRun(id: string): Promise<void> {
  const change = { status: "FINISHED", params: new Map(), tags: new Map() } as const;
  await tracker.updateRun(world.requestId(), id, change);
}

test("how far a source came is known for a week after its run's end, then forgotten", async () => {
  const [first, last] = [lossCurve(5), lossCurve(2, 6)];
  await tracker.storeBatch(batchOf({ from: 0, to: 10, points: first }));
  await endRun("job-1");
  world.nowMs += 6 * DAY_MS;
  await othersCome();
  // An agent that was cut off sends again what was stored, and then the rest.
  await tracker.storeBatch(batchOf({ from: 0, to: 10, points: first }));
  await tracker.storeBatch(batchOf({ from: 10, to: 14, points: last }));
  expect(await currentPoints(tracker)).toEqual([...first, ...last]);
  world.nowMs += 2 * DAY_MS;
  await othersCome();
  expect(tracker.sourcePosition("job-1/1/0")).toBe(0);
});

test("what comes after that is dropped and not stored twice; who still runs is never forgotten", async () => {
  const points = lossCurve(5);
  for (const runId of ["job-1", "job-2"]) {
    await tracker.storeBatch(batchOf({ from: 0, to: 10, points, runId, source: `${runId}/1/0` }));
  }
  await endRun("job-1");
  world.nowMs += 8 * DAY_MS;
  await othersCome();
  tracker = await world.reopen();
  for (const [from, to] of [
    [0, 10],
    [10, 12],
  ] as const) {
    const ack = await tracker.storeBatch(batchOf({ from, to, points }));
    expect(ack).toMatchObject({ position: to, error: expect.stringContaining("7 days ago") });
  }
  expect(await currentPoints(tracker)).toEqual(points);
  expect(tracker.sourcePosition("job-2/1/0")).toBe(10);
});
