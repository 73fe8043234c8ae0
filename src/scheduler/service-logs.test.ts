import { afterEach, beforeEach, expect, test } from "vitest";
import { jobId, type NodeId } from "../base/ids.ts";
import type { Connection, Duplex } from "../rpc/client.ts";
import { serveForTest, until, type WireFixture } from "../rpc/fixture.ts";
import type { ChannelFrame, ChannelFrame__Output } from "../rpc/gen/trainyard/v1/ChannelFrame.ts";
import type { JobServiceHandlers } from "../rpc/gen/trainyard/v1/JobService.ts";
import type { OpenChannel } from "../rpc/gen/trainyard/v1/OpenChannel.ts";
import type { ReadLogsRequest } from "../rpc/gen/trainyard/v1/ReadLogsRequest.ts";
import type { ReadLogsResponse__Output } from "../rpc/gen/trainyard/v1/ReadLogsResponse.ts";
import { decodeService } from "../rpc/loader.ts";
import { RemoteError } from "../rpc/remote-error.ts";
import { Bundles } from "./bundles.ts";
import { Channels, CHANNELS_PER_NODE_MAX } from "./channels.ts";
import { bidiStream } from "../rpc/handlers.ts";
import { World } from "./core/fixture.ts";
import { forecastsOver, TestBrain, TestTime } from "./service-fixture.ts";
import { JobIndex } from "./service-job-index.ts";
import { createJobService } from "./service-jobs.ts";
import { JobLogs } from "./service-logs.ts";
import { JobWatch } from "./service-watch.ts";

const jobs = decodeService("JobService");
const agents = decodeService("AgentService");

type AgentStream = Duplex<ChannelFrame, ChannelFrame__Output>;

let wire: WireFixture;
let client: Connection;
let brain: TestBrain;
let time: TestTime;
let orders: { readonly nodeId: NodeId; readonly order: OpenChannel }[];
let isConnected: (nodeId: NodeId) => boolean;

beforeEach(async () => {
  orders = [];
  isConnected = () => true;
  time = new TestTime();
  brain = new TestBrain(new World().nodes(2, 1));
  let ids = 0;
  const channels = new Channels({
    order: (nodeId, order) => {
      if (isConnected(nodeId)) orders.push({ nodeId, order });
      return isConnected(nodeId);
    },
    newId: () => `channel-${(ids += 1)}`,
    timers: time,
  });
  wire = await serveForTest({
    JobService: jobServiceOver(channels),
    AgentService: {
      Connect: bidiStream(() => Promise.resolve(undefined)),
      Channel: bidiStream((frames, replies, context) => channels.accept(frames, replies, context)),
    },
  });
  client = wire.connect();
  brain.world.submit({ nodes: 2 });
  brain.plan();
  brain.world.run();
});

afterEach(() => wire.stop());

function jobServiceOver(channels: Channels): JobServiceHandlers {
  const index = new JobIndex(brain);
  const store = {
    head: () => Promise.resolve(null),
    putFile: () => Promise.resolve("stored" as const),
    delete: () => Promise.resolve(),
  };
  return createJobService({
    brain,
    index,
    history: brain,
    bundles: new Bundles({ store, folder: "/nowhere", newId: () => "id", monotonicMs: () => 0 }),
    logs: new JobLogs({ index, channels }),
    watch: new JobWatch({ brain, index, timers: time }),
    forecasts: forecastsOver(brain),
  });
}

/** The agent's side of the order number `at`. */
async function dial(at: number): Promise<AgentStream> {
  await until(() => orders.length > at, `order ${at}`);
  const stream = wire.connect().bidiStream(agents.Channel);
  await stream.send({ channelId: orders[at]?.order.channelId ?? "" });
  return stream;
}

interface Reading {
  readonly got: ReadLogsResponse__Output[];
  readonly over: Promise<string>;
  readonly cancel: () => void;
}

function read(request: ReadLogsRequest): Reading {
  const stream = client.serverStream(jobs.ReadLogs, request);
  const got: ReadLogsResponse__Output[] = [];
  return { got, over: collect(stream, got), cancel: () => stream.cancel() };
}

/** Code of the error that ended the stream, or `ended`. */
async function collect<T>(stream: AsyncIterable<T>, got: T[]): Promise<string> {
  try {
    for await (const message of stream) got.push(message);
    return "ended";
  } catch (error) {
    return error instanceof RemoteError ? `${error.code}: ${error.refusal.message}` : String(error);
  }
}

const chunk = (text: string, offset = 0): ChannelFrame => ({
  log: { stream: "stdout", offset, data: Buffer.from(text) },
});

test("a rank's log comes through, named by attempt, rank and node", async () => {
  const reading = read({ job: "job-1", rank: 1, follow: true, tailLines: 5 });
  const agent = await dial(0);
  expect(orders[0]?.order.logs).toMatchObject({
    jobId: "job-1",
    attempt: 1,
    rank: 1,
    tailLines: 5,
  });
  await agent.send(chunk("hello"));
  agent.end();
  await until(() => reading.got.length === 1, "the line");
  expect(reading.got[0]).toMatchObject({ attempt: 1, rank: 1, node: "node-2", stream: "stdout" });
  expect(await reading.over).toBe("ended");
});

test("rank -1 merges all; what can be read comes before the error about what cannot", async () => {
  isConnected = (nodeId) => nodeId === "node-1";
  const reading = read({ job: "job-1", rank: -1 });
  const agent = await dial(0);
  await agent.send(chunk("a"));
  await agent.send(chunk("b", 1));
  agent.end();
  expect(await reading.over).toBe("AGENT_UNREACHABLE: The agent of node node-2 is not connected.");
  expect(reading.got.map(({ data }) => String(data))).toEqual(["a", "b"]);
});

test("the log of an ended attempt is read from the node that ran it", async () => {
  brain.world.end(jobId("job-1"));
  const reading = read({ job: "job-1", rank: 0, attempt: 1 });
  const agent = await dial(0);
  expect(orders[0]?.nodeId).toBe("node-1");
  agent.end();
  expect(await reading.over).toBe("ended");
  expect(await read({ job: "job-1", attempt: 2 }).over).toContain("INVALID_SPEC");
  expect(await read({ job: "job-1", rank: 2 }).over).toContain("INVALID_SPEC: rank is 2");
});

test("a job that has not started has no output", async () => {
  brain.world.submit();
  brain.publish();
  expect(await read({ job: "job-2" }).over).toContain("JOB_NOT_RUNNING");
});

test("a client that goes away ends the agent's stream", async () => {
  const reading = read({ job: "job-1", follow: true });
  const agent = await dial(0);
  await agent.send(chunk("x"));
  await until(() => reading.got.length === 1, "the first line");
  reading.cancel();
  expect(await collect(agent, [])).toBe("ended");
});

test("an agent that goes away ends the client's stream, and is named", async () => {
  const reading = read({ job: "job-1", follow: true });
  const agent = await dial(0);
  await agent.send(chunk("x"));
  await until(() => reading.got.length === 1, "the first line");
  agent.cancel();
  expect(await reading.over).toBe("AGENT_UNREACHABLE: The agent of node node-1 went away.");
});

test("an agent that does not answer the order is given up after 10 s", async () => {
  const reading = read({ job: "job-1" });
  await until(() => orders.length === 1, "the order");
  time.advance(10_000);
  expect(await reading.over).toContain("did not open a channel in 10 s");
  const late = await dial(0);
  expect(await collect(late, [])).toContain("INVALID_SPEC");
});

test("the agent's own words reach the client", async () => {
  const reading = read({ job: "job-1" });
  const agent = await dial(0);
  await agent.send({ error: "it left no output" });
  agent.end();
  expect(await reading.over).toBe("AGENT_REFUSED: it left no output");
});

test("channels to one node are limited, and closed ones make room", async () => {
  const readings = Array.from({ length: CHANNELS_PER_NODE_MAX }, () => read({ job: "job-1" }));
  await until(() => orders.length === CHANNELS_PER_NODE_MAX, "all orders");
  expect(await read({ job: "job-1" }).over).toContain("TOO_MANY_REQUESTS");
  const agent = await dial(0);
  agent.end(); // An open channel that ends, and one that was given up before the agent dialled.
  await readings[0]?.over;
  readings[1]?.cancel();
  await readings[1]?.over;
  await until(
    () => wire.handled.filter((call) => call.startsWith("ReadLogs")).length === 3,
    "ends",
  );
  const again = [read({ job: "job-1" }), read({ job: "job-1" })];
  await until(() => orders.length === CHANNELS_PER_NODE_MAX + 2, "two more orders");
  for (const reading of [...readings, ...again]) reading.cancel();
});

test("a slow client slows the agent down instead of filling the scheduler", async () => {
  const stream = client.serverStream(jobs.ReadLogs, { job: "job-1", follow: true });
  const agent = await dial(0);
  const block = Buffer.alloc(65_536);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 1_000; sent += 1) {
      await agent.send({ log: { stream: "stdout", offset: sent * block.length, data: block } });
    }
    agent.end();
  })();
  // Who has read once and then no more is slow; before that, grpc-js itself reads ahead.
  const reader = stream[Symbol.asyncIterator]();
  await reader.next();
  let quiet = { sent: -1, looks: 0 };
  await until(() => {
    quiet = quiet.sent === sent ? { sent, looks: quiet.looks + 1 } : { sent, looks: 0 };
    return quiet.looks > 40;
  }, "the agent to be held back");
  expect(sent).toBeLessThan(500);
  const got: ReadLogsResponse__Output[] = [];
  expect(await collect({ [Symbol.asyncIterator]: () => reader }, got)).toBe("ended");
  await sending;
  expect(got.length).toBe(999);
});

test("a terminal carries typing, resizes and output, and ends with the exit code", async () => {
  const stream = client.bidiStream(jobs.AttachJob);
  await stream.send({ open: { job: "job-1", rank: 0, argv: ["bash"] } });
  const agent = await dial(0);
  expect(orders[0]?.order.attach).toMatchObject({
    size: { columns: 80, rows: 24 },
    argv: ["bash"],
  });
  await stream.send({ input: Buffer.from("ls\n") });
  await stream.send({ resize: { columns: 100, rows: 30 } });
  const typed = agent[Symbol.asyncIterator]();
  expect(String((await typed.next()).value?.input)).toBe("ls\n");
  expect((await typed.next()).value?.resize).toEqual({ columns: 100, rows: 30 });
  await agent.send({ output: Buffer.from("train.py\n") });
  await agent.send({ exitCode: 7 });
  const got: { message?: string; exitCode?: number }[] = [];
  expect(await collect(stream, got)).toBe("ended");
  expect(got.map((reply) => reply.message)).toEqual(["output", "exitCode"]);
  expect(got[1]?.exitCode).toBe(7);
});

test("a terminal needs a running task", async () => {
  brain.world.end(jobId("job-1"));
  const stream = client.bidiStream(jobs.AttachJob);
  await stream.send({ open: { job: "job-1", rank: 0 } });
  expect(await collect(stream, [])).toContain("JOB_NOT_RUNNING");
});
