import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { jobId } from "../base/ids.ts";
import type { Connection } from "../rpc/client.ts";
import { serveForTest, until, type WireFixture } from "../rpc/fixture.ts";
import type { JobSpec } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import { decodeService } from "../rpc/loader.ts";
import { RemoteError } from "../rpc/remote-error.ts";
import { Bundles } from "./bundles.ts";
import { queueSpec, World } from "./core/fixture.ts";
import { REAL_TIMERS } from "./loop-timers.ts";
import { createCheckpointService } from "./service-checkpoints.ts";
import { forecastsOver, TestBrain } from "./service-fixture.ts";
import { JobIndex } from "./service-job-index.ts";
import { createJobService } from "./service-jobs.ts";
import { JobLogs } from "./service-logs.ts";
import { createNodeService } from "./service-nodes.ts";
import { createQueueService } from "./service-queues.ts";
import { JobWatch } from "./service-watch.ts";

const jobs = decodeService("JobService");
const queues = decodeService("QueueService");
const nodes = decodeService("NodeService");
const checkpoints = decodeService("CheckpointService");

let folder: string;
let wire: WireFixture;
let brain: TestBrain;
let client: Connection;
const stored = new Set<string>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trainyard-bundles-"));
  stored.clear();
  brain = new TestBrain(new World([queueSpec("default"), queueSpec("research")]));
  const index = new JobIndex(brain);
  const channels = { open: () => Promise.reject(new Error("no agents in this test")) };
  const store = {
    head: (key: string) =>
      Promise.resolve(stored.has(key) ? { key, sizeBytes: 1, modifiedAtMs: 0 } : null),
    putFile: (key: string) => {
      stored.add(key);
      return Promise.resolve("stored" as const);
    },
    delete: () => Promise.resolve(),
  };
  let ids = 0;
  wire = await serveForTest({
    JobService: createJobService({
      brain,
      index,
      history: brain,
      bundles: new Bundles({
        store,
        folder,
        newId: () => String((ids += 1)),
        monotonicMs: () => 0,
      }),
      logs: new JobLogs({ index, channels }),
      watch: new JobWatch({ brain, index, timers: REAL_TIMERS }),
      forecasts: forecastsOver(brain),
    }),
    QueueService: createQueueService(brain),
    NodeService: createNodeService(brain, {
      isConnected: (id) => id === "node-1",
      clockOf: () => ({ aheadMs: -1_500, errorMs: 2 }),
    }),
    CheckpointService: createCheckpointService(index, {
      run: () => Promise.reject(new Error("no sweep here")),
    }),
  });
  client = wire.connect();
});

afterEach(async () => {
  await wire.stop();
  await rm(folder, { recursive: true });
});

const SPEC: JobSpec = { name: "train", exec: { argv: ["true"] }, perNode: { gpus: 1 } };

async function submit(requestId: string, change: JobSpec = {}): Promise<string> {
  const reply = await client.unary(jobs.SubmitJob, { requestId, spec: { ...SPEC, ...change } });
  return reply.jobId;
}

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  return error instanceof RemoteError ? `${error.code} ${error.field}`.trim() : String(error);
}

test("a submitted job is there at once, with who submitted it and why it waits", async () => {
  expect(await submit("r1")).toBe("job-1");
  const { job } = await client.unary(jobs.GetJob, { job: "train" });
  expect(job).toMatchObject({ id: "job-1", tenant: "research", user: "alice", phase: "PENDING" });
  expect(job?.hold).toMatchObject({ code: "EVALUATING" });
});

test("the same request id submits once; for another content it is refused", async () => {
  await submit("r1");
  const env = { B: "1", A: "2" };
  await submit("r2", { env });
  const again = await client.unary(jobs.SubmitJob, {
    requestId: "r2",
    spec: { ...SPEC, env: { A: "2", B: "1" } },
  });
  expect(again).toEqual({ jobId: "job-2", isRepeat: true });
  expect(await refusalOf(submit("r2", { nodes: 2 }))).toContain("REQUEST_ID_REUSED");
  expect(await refusalOf(submit(""))).toBe("INVALID_SPEC requestId");
});

test("what the core refuses arrives with its code and field", async () => {
  expect(await refusalOf(submit("r1", { queue: "nowhere" }))).toBe("QUEUE_NOT_FOUND spec.queue");
  expect(await refusalOf(submit("r1", { priorityClass: "vip" }))).toContain(
    "UNKNOWN_PRIORITY_CLASS",
  );
});

test("an array is found as a whole, by its id, name and as the last, and each job by its index", async () => {
  expect(await submit("r1", { array: { indexes: "0,5", parallel: 1 } })).toBe("job-1");
  const find = (job: string) => client.unary(jobs.GetJob, { job });
  for (const reference of ["job-1", "train", "@last"]) {
    expect(await find(reference)).toMatchObject({ job: null, array: { id: "job-1", elements: 2 } });
  }
  for (const reference of ["1/5", "job-1/5", "train/5", "@last/5"]) {
    expect((await find(reference)).job).toMatchObject({ id: "job-3", arrayIndex: 5 });
  }
  expect((await find("job-3")).job?.hold).toMatchObject({ code: "ARRAY_PARALLEL" });
  expect(await refusalOf(find("1/4"))).toBe("JOB_NOT_FOUND job");
  const listed = await client.unary(jobs.ListJobs, { array: "train", includeEnded: true });
  expect(listed.jobs.map(({ id }) => id)).toEqual(["job-3", "job-2"]);
  const { lines } = await client.unary(jobs.ExplainJob, { job: "train" });
  expect(lines[0]).toContain("job-1 is an array of 2 jobs: 0 under way, 2 wait");
  const { events } = await client.unary(jobs.ListJobEvents, { job: "1/5" });
  expect(events.map(({ kind }) => kind)).toEqual(["array.submitted"]);
});

test("calls about one job refuse an array", async () => {
  await submit("r1", { array: { indexes: "0-9" } });
  const call = client.unary(checkpoints.ListCheckpoints, { job: "job-1" });
  expect(await refusalOf(call)).toBe("JOB_IS_ARRAY job");
});

test("holding, releasing and cancelling work on a job, an element and an array", async () => {
  await submit("r1", { array: { indexes: "0-2" } });
  const hold = async (job: string) =>
    (await client.unary(jobs.GetJob, { job })).job?.hold?.message ?? "";
  await client.unary(jobs.HoldJob, { requestId: "h1", job: "1/1", why: "a look" });
  expect(await hold("1/1")).toMatch(/^It is held by alice@research since .*: a look\.$/);
  await client.unary(jobs.HoldJob, { requestId: "h2", job: "1", why: "" });
  expect(await hold("1/0")).toMatch(/^It is held by alice@research/);
  await client.unary(jobs.ReleaseJob, { requestId: "h3", job: "train" });
  expect([await hold("1/0"), await hold("1/1")]).toEqual([
    "It has not been looked at yet.",
    "It has not been looked at yet.",
  ]);
  await client.unary(jobs.CancelJob, { requestId: "c1", job: "train", why: "" });
  const { array } = await client.unary(jobs.GetJob, { job: "job-1" });
  expect(array).toMatchObject({ cancelled: 3, pending: 0 });
});

test("a job waits for others by their names, and not for nobody", async () => {
  await submit("r1", { name: "prep" });
  await submit("r2", { after: [{ job: "prep", on: "any" }] });
  const { job } = await client.unary(jobs.GetJob, { job: "job-2" });
  expect(job?.hold?.message).toBe("It waits for job-1 to end, which is pending.");
  expect(await refusalOf(submit("r3", { after: [{ job: "nobody" }] }))).toBe(
    "JOB_NOT_FOUND spec.after[0].job",
  );
});

test("a job is found by id, number, newest of a name, and as the caller's last", async () => {
  await submit("r1");
  await submit("r2");
  await submit("r3", { name: "other" });
  const found = async (job: string): Promise<string | undefined> =>
    (await client.unary(jobs.GetJob, { job })).job?.id;
  expect(await found("job-1")).toBe("job-1");
  expect(await found("2")).toBe("job-2");
  expect(await found("train")).toBe("job-2");
  expect(await found("@last")).toBe("job-3");
  const bob = wire.connect({ tenant: "research", user: "bob" });
  expect(await refusalOf(bob.unary(jobs.GetJob, { job: "@last" }))).toBe("JOB_NOT_FOUND job");
});

test("lists go newest first by page, and leave out what has ended", async () => {
  for (let n = 1; n <= 5; n += 1) await submit(`r${n}`, { queue: n % 2 ? "default" : "research" });
  await client.unary(jobs.CancelJob, { requestId: "c", job: "job-4", why: "test" });
  const first = await client.unary(jobs.ListJobs, { page: { size: 2 } });
  expect(first.jobs.map((job) => job.id)).toEqual(["job-5", "job-3"]);
  const second = await client.unary(jobs.ListJobs, { page: { size: 2, token: first.nextToken } });
  expect(second.jobs.map((job) => job.id)).toEqual(["job-2", "job-1"]);
  expect(second.nextToken).toBe("");
  const ended = await client.unary(jobs.ListJobs, { phases: ["CANCELLED"] });
  expect(ended.jobs.map((job) => [job.id, job.exitCode])).toEqual([["job-4", 143]]);
  const research = await client.unary(jobs.ListJobs, { queue: "research", includeEnded: true });
  expect(research.jobs.map((job) => job.id)).toEqual(["job-4", "job-2"]);
  expect(await refusalOf(client.unary(jobs.ListJobs, { queue: "reserch" }))).toBe(
    "QUEUE_NOT_FOUND queue",
  );
  expect(await refusalOf(client.unary(jobs.ListJobs, { phases: ["DONE"] }))).toBe(
    "INVALID_SPEC phases[0]",
  );
  expect(await refusalOf(client.unary(jobs.ListJobs, { page: { size: 1_001 } }))).toBe(
    "INVALID_SPEC page.size",
  );
});

test("a repeated cancel is one cancel, though the name means another job by then", async () => {
  await submit("r1");
  const request = { requestId: "c1", job: "train", why: "" };
  expect((await client.unary(jobs.CancelJob, request)).jobId).toBe("job-1");
  await submit("r2");
  expect((await client.unary(jobs.CancelJob, request)).jobId).toBe("job-1");
  expect(brain.world.phase(jobId("job-2"))).toBe("pending");
});

test("a job's events tell its story by page", async () => {
  brain.world.nodes(1, 4);
  await submit("r1");
  brain.plan();
  brain.world.run();
  const all = await client.unary(jobs.ListJobEvents, { job: "train" });
  expect(all.events.map((event) => event.message)).toEqual([
    "Submitted to default as normal: 1 node, 1 GPU.",
    "Attempt 1 placed with 1 GPU on node-1, from scratch.",
    "Rank 0 listens on 127.0.0.1:29500.",
    "Rank 0 started.",
  ]);
  const [first] = all.events;
  const rest = await client.unary(jobs.ListJobEvents, {
    job: "train",
    afterSeq: first?.seq ?? 0,
    limit: 1,
  });
  expect([rest.events[0]?.kind, rest.hasMore]).toEqual(["job.placed", true]);
});

test("explain says why a job waits", async () => {
  brain.world.nodes(1, 4);
  await submit("r1", { perNode: { gpus: 4 } });
  await submit("r2", { perNode: { gpus: 4 } });
  brain.plan();
  const why = await client.unary(jobs.ExplainJob, { job: "job-2" });
  expect(why.job?.hold?.code).toBe("WAITING_FOR_GPUS");
  expect(why.position).toBe(1);
  expect(why.lines.length).toBeGreaterThan(0);
});

test("a waiting job is told when it starts, and what a submission would meet, without one", async () => {
  brain.world.nodes(1, 4);
  await submit("r1", { perNode: { gpus: 4 }, timeLimit: { seconds: 3_600, nanos: 0 } });
  brain.plan();
  brain.world.run();
  await submit("r2", { perNode: { gpus: 4 }, timeLimit: { seconds: 600, nanos: 0 } });
  brain.plan();
  const { estimate, lines } = await client.unary(jobs.ExplainJob, { job: "job-2" });
  expect(estimate).toMatchObject({ p50: { seconds: 3_600 }, gap: "", basis: "runs" });
  // Nothing was learned yet of how wrong that is.
  expect(estimate?.p90?.seconds).toBeGreaterThan(2 * 3_600);
  expect(lines).toContainEqual(expect.stringMatching(/^It is likely to start in 60 min, /));
  const { seq } = brain.state();
  const spec = { ...SPEC, perNode: { gpus: 2 } };
  const waits = await client.unary(jobs.PreviewJob, { spec });
  expect(waits).toMatchObject({ verdict: "waits", position: 2, ahead: ["job-2"] });
  expect(waits.hold?.code).toBe("WAITING_FOR_GPUS");
  expect(waits.estimate?.p50?.seconds).toBe(4_200);
  const high = { ...SPEC, perNode: { gpus: 2 }, priorityClass: "high" };
  const reserves = await client.unary(jobs.PreviewJob, { spec: high });
  expect(reserves).toMatchObject({ verdict: "reserves", placement: [{ node: "node-1" }] });
  expect(reserves.preemptions).toMatchObject([{ job: "job-1", kind: "priority", preemptor: "" }]);
  const nowhere = { ...SPEC, queue: "nowhere" };
  const call = client.unary(jobs.PreviewJob, { spec: nowhere });
  expect(await refusalOf(call)).toBe("QUEUE_NOT_FOUND spec.queue");
  expect(brain.state().seq).toBe(seq);
});

test("watching gives the state now and the newest state after changes", async () => {
  brain.world.nodes(1, 4);
  await submit("r1");
  const stream = client.serverStream(jobs.WatchJobs, { jobs: ["train"] });
  const phases: string[] = [];
  const seen = (async () => {
    for await (const { job } of stream) phases.push(job?.phase ?? "");
  })();
  await until(() => phases.length === 1, "the first state");
  brain.plan();
  brain.world.run();
  brain.publish();
  await until(() => phases.includes("RUNNING"), "the job to run");
  stream.cancel();
  expect(await refusalOf(seen)).toBe("CALL_CANCELLED");
  expect(phases[0]).toBe("PENDING");
  expect(await refusalOf(drain(client.serverStream(jobs.WatchJobs, { jobs: ["none"] })))).toBe(
    "JOB_NOT_FOUND job",
  );
});

test("a bundle is stored when its bytes are what it says, and only then usable", async () => {
  const data = Buffer.from("packed code");
  const digest = createHash("sha256").update(data).digest("hex");
  const bundle = { digest, sizeBytes: data.length };
  expect(await refusalOf(submit("r1", { bundle }))).toContain("BUNDLE_NOT_FOUND");
  const chunks = [{ digest, sizeBytes: data.length, data: data.subarray(0, 4) }];
  const put = (last: Buffer): Promise<{ wasThere: boolean }> =>
    client.clientStream(jobs.PutBundle, [...chunks, { data: last }]);
  expect(await refusalOf(put(Buffer.from("ed CODE")))).toBe("INVALID_SPEC digest");
  expect(await refusalOf(put(Buffer.from("ed co")))).toBe("INVALID_SPEC sizeBytes");
  expect(stored.size).toBe(0);
  expect((await put(data.subarray(4))).wasThere).toBe(false);
  expect((await put(data.subarray(4))).wasThere).toBe(true);
  expect(await submit("r1", { bundle })).toBe("job-1");
  expect(await readdir(folder)).toEqual([]);
});

test("queues, nodes and checkpoints are shown as they are", async () => {
  brain.world.nodes(1, 4);
  await client.unary(queues.ApplyQueues, {
    requestId: "q",
    queues: [{ path: "research", guarantee: 2, limit: 8 }],
  });
  await submit("r1", { queue: "research" });
  brain.plan();
  brain.world.run();
  brain.world.checkpoint(jobId("job-1"), 10);
  const listed = await client.unary(queues.ListQueues, {});
  expect(listed.queues.map((queue) => queue.spec?.path)).toEqual(["default", "research"]);
  expect(listed.queues[1]).toMatchObject({ allocatedGpus: 1, runningJobs: 1, fairShareGpus: 1 });
  await client.unary(nodes.DrainNode, { requestId: "d", node: "node-1", note: "fan" });
  const [node] = (await client.unary(nodes.ListNodes, {})).nodes;
  expect(node).toMatchObject({
    schedulability: "DRAINING",
    note: "fan",
    isConnected: true,
    clock: { aheadMs: -1_500 },
  });
  expect(node?.gpus.map((gpu) => gpu.jobId)).toEqual(["job-1", "", "", ""]);
  const saved = await client.unary(checkpoints.ListCheckpoints, { job: "train" });
  expect(saved.checkpoints.map(({ step, state }) => [step, state])).toEqual([[10, "committed"]]);
  const shown = await client.unary(jobs.GetJob, { job: "train" });
  expect(shown.job?.checkpoint?.step).toBe(10);
});

test("a tree is previewed: refused as it would be, else with whom it would displace", async () => {
  brain.world.nodes(1, 4);
  await submit("r1", { perNode: { gpus: 4 } });
  brain.plan();
  brain.world.run();
  brain.world.submit({ gpus: 2 });
  const preview = (limit: number) =>
    client.unary(queues.PreviewQueues, { queues: [{ path: "default", guarantee: 1, limit }] });
  expect(await refusalOf(preview(0))).toBe("QUEUE_INVALID default: limit");
  expect((await preview(1)).outlook).toEqual({
    preemptions: [],
    starts: 0,
    stranded: [{ queue: "default", count: 1, jobs: ["job-2"] }],
  });
  const { queues: listed } = await client.unary(queues.ListQueues, {});
  expect(listed[0]?.spec).toMatchObject({ guarantee: 0 });
});

test("a page of 100,000 jobs is found at once", async () => {
  for (let n = 0; n < 100_000; n += 1) brain.world.submit();
  brain.publish();
  const looks = vi.spyOn(brain.world.state.jobs, "get");
  const { jobs: nobodys } = await client.unary(jobs.ListJobs, { user: "nobody" });
  expect(nobodys).toEqual([]);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(100_000); // One look at each, no sorting.
  looks.mockClear();
  const { jobs: page } = await client.unary(jobs.ListJobs, {});
  expect(page).toHaveLength(100);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(500);
}, 60_000);

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) continue;
}
