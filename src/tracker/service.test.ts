import { afterEach, beforeEach, expect, test } from "vitest";
import { TrackerWorld } from "../../test/property/tracker-world.ts";
import { Connection } from "../rpc/client.ts";
import { decodeService } from "../rpc/loader.ts";
import { RpcServer } from "../rpc/server.ts";
import { trackerService } from "./service.ts";

const service = decodeService("TrackerService");

let world: TrackerWorld;
let server: RpcServer;
let connection: Connection;

beforeEach(async () => {
  world = new TrackerWorld();
  const tracker = await world.open();
  server = new RpcServer({
    clock: { monotonicMs: () => performance.now() },
    observer: {
      started: () => undefined,
      handled: () => undefined,
      bug: (error) => {
        throw error;
      },
    },
    tls: null,
    isInsecure: false,
  });
  server.add("TrackerService", trackerService(tracker));
  const port = await server.listen("127.0.0.1:0");
  const caller = { tenant: "acme", user: "ann" };
  connection = new Connection({ address: `127.0.0.1:${port}`, caller, tls: null });
});

afterEach(async () => {
  connection.close();
  await server.stop();
  await world.remove();
});

const points = {
  metric: [0, 0, 1],
  step: [1, 2, 2],
  timestampMs: [1_700_000_000_000, 1_700_000_001_000, 1_700_000_001_000],
  value: [0.5, Number.NaN, -Infinity],
};

const batch = {
  runId: "job-1",
  source: "job-1/1/0",
  fromPosition: 0,
  toPosition: 120,
  attempt: 1,
  metrics: ["loss", "lr"],
  points,
};

const bare = { requestId: "", runId: "", experiment: "", name: "", params: {}, tags: {} };

test("a stream of batches is acknowledged, and its points come back as they were", async () => {
  const stream = connection.bidiStream(service.IngestMetrics);
  await stream.send(batch);
  await stream.send(batch);
  await stream.send({ ...batch, fromPosition: 500, toPosition: 600 });
  stream.end();
  const acks = [];
  for await (const ack of stream) acks.push(ack);
  expect(acks.map(({ position, error }) => [position, error])).toEqual([
    [120, ""],
    [120, ""],
    [120, ""],
  ]);
  const loss = await connection.unary(service.QueryMetric, { runId: "job-1", metric: "loss" });
  expect(loss).toEqual({
    step: [1, 2],
    timestampMs: [1_700_000_000_000, 1_700_000_001_000],
    value: [0.5, Number.NaN],
    total: 2,
  });
  const latest = await connection.unary(service.LatestMetrics, { runId: "job-1" });
  expect(latest.metrics.map(({ name, value }) => [name, value])).toEqual([
    ["loss", Number.NaN],
    ["lr", -Infinity],
  ]);
  const { position } = await connection.unary(service.GetSourcePosition, { source: batch.source });
  expect(position).toBe(120);
});

test("a run carries who made it, and its times only when there are any", async () => {
  const params = { lr: "0.1" };
  const asked = { ...bare, requestId: "r1", runId: "a", experiment: "nlp", params };
  const { run } = await connection.unary(service.CreateRun, asked);
  expect(run).toMatchObject({
    id: "a",
    experiment: "nlp",
    tenant: "acme",
    user: "ann",
    status: "RUNNING",
    startedAt: { seconds: world.nowMs / 1_000, nanos: 0 },
    endedAt: null,
    params,
  });
  const status = "FINISHED";
  await connection.unary(service.UpdateRun, { ...bare, requestId: "r2", runId: "a", status });
  const { run: ended } = await connection.unary(service.GetRun, { runId: "a" });
  expect(ended).toMatchObject({ status, endedAt: { seconds: world.nowMs / 1_000 } });
  const list = await connection.unary(service.ListRuns, { experiment: "nlp" });
  expect(list.runs.map(({ id }) => id)).toEqual(["a"]);
});

test("a range from step 0 is not the same as none", async () => {
  await connection.unary(service.CreateRun, { ...bare, requestId: "r1", runId: "a" });
  const negative = { metric: [0, 0], step: [-3, 0], timestampMs: [0, 0], value: [1, 2] };
  const logged = { requestId: "l1", runId: "a", metrics: ["loss"], points: negative };
  await connection.unary(service.LogMetrics, logged);
  const query = { runId: "a", metric: "loss" };
  expect((await connection.unary(service.QueryMetric, query)).total).toBe(2);
  expect((await connection.unary(service.QueryMetric, { ...query, fromStep: 0 })).total).toBe(1);
});

const refused: readonly (readonly [string, string, () => Promise<unknown>])[] = [
  ["an unknown run", "RUN_NOT_FOUND", () => connection.unary(service.GetRun, { runId: "nope" })],
  [
    "an unknown status",
    "INVALID_SPEC",
    () => connection.unary(service.UpdateRun, { requestId: "r1", runId: "a", status: "DONE" }),
  ],
  ["a strange page", "INVALID_SPEC", () => connection.unary(service.ListRuns, { pageToken: "?" })],
  ["no request id", "INVALID_SPEC", () => connection.unary(service.CreateRun, { runId: "a" })],
];

test.each(refused)("%s is refused as %s", async (_, code, call) => {
  await expect(call()).rejects.toMatchObject({ code });
});
