import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeId } from "../base/ids.ts";
import type { Duplex } from "../rpc/client.ts";
import { serveForTest, until, type WireFixture } from "../rpc/fixture.ts";
import type { AgentMessage } from "../rpc/gen/trainyard/v1/AgentMessage.ts";
import type { Hello } from "../rpc/gen/trainyard/v1/Hello.ts";
import type { SchedulerMessage__Output } from "../rpc/gen/trainyard/v1/SchedulerMessage.ts";
import { decodeService } from "../rpc/loader.ts";
import { RemoteError } from "../rpc/remote-error.ts";
import { createLogger } from "../obs/log.ts";
import { refuse } from "../base/errors.ts";
import { Channels } from "./channels.ts";
import { createAgentService } from "./service-agents.ts";
import { TestBrain, TestTime } from "./service-fixture.ts";
import { AgentSessions, DEFAULT_TERMS } from "./sessions.ts";

const agents = decodeService("AgentService");
const TERM_MS = DEFAULT_TERMS.leaseMs + DEFAULT_TERMS.marginMs;

let wire: WireFixture;
let brain: TestBrain;
let time: TestTime;
let sessions: AgentSessions;

beforeEach(async () => {
  brain = new TestBrain();
  await serve();
});

afterEach(async () => {
  sessions.stop();
  await wire.stop();
});

/** A scheduler over what `brain` remembers; called again, it is a restarted one. */
async function serve(): Promise<void> {
  time = new TestTime();
  const cluster = { objectStore: "file:///store", trackerAddress: "", version: "1" };
  const logger = createLogger({ level: "silent", name: "test", style: "json" });
  const parts = { brain, clock: time, timers: time, logger, terms: DEFAULT_TERMS, cluster };
  sessions = new AgentSessions(parts);
  const order = () => false;
  const channels = new Channels({ order, newId: () => "id", timers: time });
  wire = await serveForTest({ AgentService: createAgentService(sessions, channels) });
  sessions.start();
}

interface Agent {
  readonly stream: Duplex<AgentMessage, SchedulerMessage__Output>;
  readonly got: SchedulerMessage__Output[];
  /** Code of the error that ended the stream, or `ended`. */
  readonly over: Promise<string>;
}

async function connect(hello: Partial<Hello> = {}): Promise<Agent> {
  const stream = wire.connect().bidiStream(agents.Connect);
  const got: SchedulerMessage__Output[] = [];
  const over = (async () => {
    try {
      for await (const message of stream) got.push(message);
      return "ended";
    } catch (error) {
      return error instanceof RemoteError ? error.code : String(error);
    }
  })();
  const gpus = [0, 1].map((index) => ({ index, uuid: `u${index}`, type: "virtual" }));
  const rest = { address: "10.0.0.1", gpus, cpuMilli: 8_000, memoryMib: 16_000 };
  await stream.send({ hello: { node: "gpu-1", instance: "life-1", ...rest, ...hello } });
  return { stream, got, over };
}

async function welcomed(hello: Partial<Hello> = {}): Promise<Agent> {
  const agent = await connect(hello);
  await until(() => agent.got.some((message) => message.desired), "the desired state");
  return agent;
}

async function beat(agent: Agent, seq: number): Promise<void> {
  await agent.stream.send({ heartbeat: { seq } });
  await until(() => agent.got.some((message) => message.heartbeatAck?.seq === seq), `ack ${seq}`);
}

const health = (): string | undefined => brain.state().nodes.get(nodeId("gpu-1"))?.health;
const executed = (kind: string): number =>
  brain.executed.filter(({ command }) => command.kind === kind).length;

test("a hello registers the node; welcome comes first, then what it is to do", async () => {
  const { got } = await welcomed();
  expect(got[0]?.welcome).toMatchObject({
    leaseMs: 15_000,
    heartbeatIntervalMs: 3_000,
    objectStore: "file:///store",
  });
  expect(got[1]?.desired).toEqual({ generation: brain.state().seq, tasks: [] });
  expect(sessions.isConnected(nodeId("gpu-1"))).toBe(true);
});

test("only agents of touched nodes are told of a change, with the newest state", async () => {
  const one = await welcomed();
  const two = await welcomed({ node: "gpu-2", instance: "life-2", gpus: [] });
  const [before, others] = [one.got.length, two.got.length];
  brain.world.submit({ gpus: 2 });
  brain.plan();
  await until(() => one.got.length > before, "the new desired state");
  const desired = one.got.at(-1)?.desired;
  expect(desired?.tasks[0]).toMatchObject({ jobId: "job-1", attempt: 1, rank: 0, gpus: [0, 1] });
  expect(desired?.generation).toBe(brain.state().seq);
  await beat(two, 1);
  expect(two.got.length).toBe(others + 1);
});

test("heartbeats are acknowledged without the loop", async () => {
  const agent = await welcomed();
  const before = brain.executed.length;
  await beat(agent, 1);
  await beat(agent, 2);
  expect(brain.executed.length).toBe(before);
});

test("a node with heartbeats is kept; one without is lost after lease and margin", async () => {
  const agent = await welcomed();
  for (let seq = 1; seq <= 20; seq += 1) {
    await beat(agent, seq);
    time.advance(DEFAULT_TERMS.heartbeatMs);
  }
  expect(executed("node.expire")).toBe(0);
  time.advance(TERM_MS - DEFAULT_TERMS.heartbeatMs - 1_000);
  expect(executed("node.expire")).toBe(0);
  time.advance(2_000);
  await until(() => health() === "lost", "the node to be lost");
});

test("once a node is given up, no heartbeat is acknowledged and the stream ends", async () => {
  const agent = await welcomed();
  await beat(agent, 1);
  time.advance(TERM_MS + 2_000);
  await agent.stream.send({ heartbeat: { seq: 2 } }).catch(() => undefined);
  expect(await agent.over).toBe("SHUTTING_DOWN");
  expect(agent.got.some((message) => message.heartbeatAck?.seq === 2)).toBe(false);
});

test("a lost node that comes back is up again, with nothing to do", async () => {
  await welcomed();
  brain.world.submit({ gpus: 2 });
  brain.plan();
  time.advance(TERM_MS + 2_000);
  await until(() => health() === "lost", "the node to be lost");
  const back = await welcomed();
  expect(health()).toBe("up");
  expect(back.got.find((message) => message.desired)?.desired?.tasks).toEqual([]);
});

test("after a restart every node has a full term before it may be lost", async () => {
  await welcomed();
  sessions.stop();
  await wire.stop();
  await serve();
  time.advance(TERM_MS - 1_000);
  expect(executed("node.expire")).toBe(0);
  time.advance(3_000);
  await until(() => health() === "lost", "the node to be lost");
});

test("a stall of the scheduler itself loses no node", async () => {
  const agent = await welcomed();
  time.stall(10 * TERM_MS);
  time.advance(1);
  await beat(agent, 1);
  time.advance(TERM_MS - 2_000);
  expect(executed("node.expire")).toBe(0);
});

test("a second agent of the same name is refused while the first is there", async () => {
  await welcomed();
  const second = await connect({ instance: "life-2" });
  expect(await second.over).toBe("NODE_NAME_TAKEN");
});

test("a restarted agent takes its name over once its old stream is gone", async () => {
  const first = await welcomed();
  first.stream.cancel();
  await first.over;
  await until(() => !sessions.isConnected(nodeId("gpu-1")), "the old session to end");
  await welcomed({ instance: "life-2" });
  expect(brain.state().nodes.get(nodeId("gpu-1"))?.instance).toBe("life-2");
});

test("another machine gets the name of a vanished one only after its lease", async () => {
  const first = await welcomed();
  first.stream.cancel();
  await until(() => !sessions.isConnected(nodeId("gpu-1")), "the old session to end");
  const early = await connect({ instance: "life-2", address: "10.0.0.2" });
  expect(await early.over).toBe("NODE_NAME_TAKEN");
  time.advance(TERM_MS + 2_000);
  await until(() => health() === "lost", "the node to be lost");
  await welcomed({ instance: "life-2", address: "10.0.0.2" });
});

test("a new stream of the same life replaces the old one", async () => {
  const old = await welcomed();
  const fresh = await welcomed();
  expect(await old.over).toBe("SHUTTING_DOWN");
  await beat(fresh, 1);
  expect(sessions.isConnected(nodeId("gpu-1"))).toBe(true);
});

test("of many reports only the newest waits for the loop", async () => {
  const agent = await welcomed();
  let free = (): void => undefined;
  brain.busy = new Promise((resolve) => {
    free = resolve;
  });
  for (let generation = 1; generation <= 200; generation += 1) {
    await agent.stream.send({ report: { generation, tasks: [] } });
  }
  await beat(agent, 1); // Behind the reports: they have all arrived.
  free();
  await until(() => executed("node.report") === 2, "the newest report");
  const reports = brain.executed.map(({ command }) => command);
  expect(
    reports.flatMap((one) => (one.kind === "node.report" ? one.report.generation : [])),
  ).toEqual([1, 200]);
});

test("a report that the full loop refused is given to it again", async () => {
  const agent = await welcomed();
  brain.refusal = refuse("TOO_MANY_REQUESTS", "full", "wait");
  await agent.stream.send({ report: { generation: 7, tasks: [] } });
  await until(() => executed("node.report") === 1, "the refused report");
  brain.refusal = null;
  await until(() => {
    time.advance(200);
    return executed("node.report") === 2;
  }, "the second try");
  expect(brain.executed.at(-1)?.command).toMatchObject({ report: { generation: 7 } });
});

test("a report of a task without its end is refused, and the stream says why", async () => {
  const agent = await welcomed();
  const tasks = [{ jobId: "job-1", attempt: 1, rank: 0, state: "ended" }];
  await agent.stream.send({ report: { generation: 1, tasks } });
  expect(await agent.over).toBe("INVALID_SPEC");
});

test("a stream that does not begin with hello is refused", async () => {
  const stream = wire.connect().bidiStream(agents.Connect);
  await stream.send({ heartbeat: { seq: 1 } });
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow("hello");
});
