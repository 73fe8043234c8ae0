// The commands of a scenario file and what each does to the stage. A line that is not understood is a
// mistake in the file, and said so.

import { must } from "../../src/base/assert.ts";
import { jobId, nodeId, queuePath } from "../../src/base/ids.ts";
import { prospectOf } from "../../src/scheduler/core/explain-when.ts";
import { jobSpec, nodeSpec } from "../../src/scheduler/core/fixture.ts";
import {
  type JobSpec,
  TOPOLOGY_LEVELS,
  type TopologyRequest,
  type TaskExit,
} from "../../src/scheduler/core/job.ts";
import { forecastStarts } from "../../src/scheduler/core/start-forecast.ts";
import { completeQueueSpec } from "../../src/scheduler/core/queue-spec.ts";
import { DEFAULT_POLICY, QUEUE_ORDERS, type QueueSpec } from "../../src/scheduler/core/state.ts";
import { renderEvents, renderHold, renderJob, renderProspect, renderReply } from "./render.ts";
import { Stage, START_MS } from "./stage.ts";

interface Line {
  readonly verb: string;
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/** Runs one command and gives its output. */
export function runLine(stage: Stage, text: string): readonly string[] {
  const line = parseLine(text);
  const command = COMMANDS.get(line.verb);
  if (command === undefined) throw new Error(`no such command: ${line.verb}`);
  const said = command(stage, line);
  return [...said, ...renderEvents(stage.news(), START_MS)];
}

type Run = (stage: Stage, line: Line) => readonly string[];

const COMMANDS: ReadonlyMap<string, Run> = new Map<string, Run>([
  ["policy", setPolicy],
  ["node", joinNode],
  ["queue", setQueue],
  ["submit", submit],
  ["cancel", (stage, line) => renderReply(stage.send(cancelOf(line)))],
  [
    "hold",
    (stage, line) =>
      renderReply(stage.send({ kind: "job.hold", jobId: jobId(word(line)), why: "a look" })),
  ],
  [
    "release",
    (stage, line) => renderReply(stage.send({ kind: "job.release", jobId: jobId(word(line)) })),
  ],
  ["cordon", (stage, line) => renderReply(stage.send(nodeCommand("node.cordon", line)))],
  ["drain", (stage, line) => renderReply(stage.send(nodeCommand("node.drain", line)))],
  [
    "uncordon",
    (stage, line) => renderReply(stage.send({ kind: "node.uncordon", nodeId: nodeId(word(line)) })),
  ],
  ["notice", (stage, line) => renderReply(stage.send(noticeOf(line)))],
  ["silence", (stage, line) => nothing(stage.silence(word(line)))],
  ["return", (stage, line) => nothing(stage.comeBack(word(line)))],
  ["condition", setConditions],
  ["end", endTasks],
  [
    "checkpoint",
    (stage, line) => nothing(stage.checkpoint(jobId(word(line)), count(line, "step"))),
  ],
  ["wait", (stage, line) => nothing(stage.wait(seconds(word(line))))],
  ["jobs", (stage) => [...stage.state.jobs.values()].map(renderJob)],
  ["explain", explain],
  ["when", when],
]);

/** `condition a disk_full`; without a kind, all is well again. */
function setConditions(stage: Stage, line: Line): readonly string[] {
  const [name = "", ...kinds] = line.words;
  return nothing(
    stage.setConditions(
      name,
      kinds.map((kind) => ({ kind, message: "" })),
    ),
  );
}

function nothing(_done: void): readonly string[] {
  return [];
}

function setPolicy(stage: Stage, line: Line): readonly string[] {
  const changes = [...line.options].map(([name, value]) => {
    if (!Object.hasOwn(DEFAULT_POLICY, name)) throw new Error(`no policy is named ${name}`);
    return [name, policyValue(value)] as const;
  });
  stage.state.policy = { ...stage.state.policy, ...Object.fromEntries(changes) };
  return [];
}

function policyValue(text: string): unknown {
  if (text.startsWith("{")) return JSON.parse(text);
  if (/^\d+$/.test(text)) return Number(text);
  return text === "true" || text === "false" ? text === "true" : text;
}

function joinNode(stage: Stage, line: Line): readonly string[] {
  const spec = nodeSpec(word(line), count(line, "gpus"));
  const type = line.options.get("type")?.replaceAll("_", " ") ?? "virtual";
  const islandSize = count(line, "islands", 0);
  const islandOf = (index: number): string =>
    islandSize === 0 ? "" : `i${Math.floor(index / islandSize)}`;
  const gpus = spec.gpus.map((gpu) => ({ ...gpu, type, island: islandOf(gpu.index) }));
  stage.join({ ...spec, gpus, labels: labelsOf(line) });
  return [];
}

/** `rack=r1 block=b1 spot=true`. */
function labelsOf({ options }: Line): Readonly<Record<string, string>> {
  const names = [
    ["rack", "trainyard.dev/topology-rack"],
    ["block", "trainyard.dev/topology-block"],
    ["spot", "trainyard.dev/spot"],
  ] as const;
  return Object.fromEntries(
    names.flatMap(([name, label]) => {
      const value = options.get(name);
      return value === undefined ? [] : [[label, value]];
    }),
  );
}

/** `topology=rack` or `topology=rack:preferred`. */
function topologyOf(text: string | undefined): TopologyRequest | null {
  if (text === undefined) return null;
  const [name, mode] = text.split(":");
  const level = must(
    TOPOLOGY_LEVELS.find((known) => known === name),
    `a level, not ${text}`,
  );
  return { level, mode: mode === "preferred" ? "preferred" : "required" };
}

function spotOf(text: string | undefined): JobSpec["spot"] {
  return text === "avoid" || text === "prefer" ? text : "allow";
}

function setQueue(stage: Stage, line: Line): readonly string[] {
  const spec = queueOf(line);
  return renderReply(stage.send({ kind: "queue.apply", queues: [spec], prune: false }));
}

function queueOf(line: Line): QueueSpec {
  const given = (name: string): number | null => {
    const text = line.options.get(name);
    return text === undefined ? null : Number(text);
  };
  return completeQueueSpec({
    path: queuePath(word(line)),
    guarantee: count(line, "guarantee", 0),
    guaranteeCpuMilli: given("guaranteeCpuMilli"),
    limit: given("limit"),
    limitCpuMilli: given("limitCpuMilli"),
    borrowingLimit: given("borrowingLimit"),
    lendingLimit: given("lendingLimit"),
    weight: count(line, "weight", 1),
    order: QUEUE_ORDERS.find((order) => order === line.options.get("order")) ?? "fifo",
    usageHalfLifeMs: given("usageHalfLifeMs"),
  });
}

function submit(stage: Stage, line: Line): readonly string[] {
  const limit = line.options.get("time");
  const begin = line.options.get("begin");
  const deadline = line.options.get("deadline");
  const spec = jobSpec({
    queue: queuePath(word(line)),
    ...nodesOf(line.options.get("nodes") ?? "1"),
    perNode: {
      gpus: count(line, "gpus", 1),
      cpuMilli: count(line, "cpuMilli", 0),
      memoryMib: count(line, "memoryMib", 0),
    },
    priorityClass: line.options.get("class") ?? "normal",
    timeLimitMs: limit === undefined ? null : seconds(limit),
    restartsMax: count(line, "restarts", 0),
    graceMs: seconds(line.options.get("grace") ?? "60s"),
    gpuTypes: line.options.get("type")?.replaceAll("_", " ").split(",") ?? [],
    topology: topologyOf(line.options.get("topology")),
    spot: spotOf(line.options.get("spot")),
    array: arrayOf(line.options.get("array")),
    after: afterOf(line.options.get("after")),
    beginAtMs: begin === undefined ? null : stage.nowMs + seconds(begin),
    deadlineMs: deadline === undefined ? null : stage.nowMs + seconds(deadline),
    isHeld: line.options.get("held") === "true",
  });
  return renderReply(stage.send({ kind: "job.submit", spec }, line.options.get("request") ?? null));
}

/** `2..4`, or one number for both. */
function nodesOf(text: string): Pick<JobSpec, "nodes" | "nodesMin"> {
  const [min = "", max = min] = text.split("..");
  return { nodesMin: Number(min), nodes: Number(max) };
}

/** `0-9%2`. */
function arrayOf(text: string | undefined): JobSpec["array"] {
  const [indexes = "", parallel] = text?.split("%") ?? [];
  if (text === undefined) return null;
  return { indexes, parallel: parallel === undefined ? null : Number(parallel) };
}

/** `job-1:ok,job-2`. */
function afterOf(text: string | undefined): JobSpec["after"] {
  return (text?.split(",") ?? []).map((part) => {
    const [id = "", on = "ok"] = part.split(":");
    const known = (["ok", "failed", "any"] as const).find((condition) => condition === on);
    return { job: jobId(id), on: must(known, "ok, failed or any") };
  });
}

function cancelOf(line: Line) {
  return { kind: "job.cancel", jobId: jobId(word(line)), why: "not needed" } as const;
}

function nodeCommand<K extends "node.cordon" | "node.drain">(kind: K, line: Line) {
  return { kind, nodeId: nodeId(word(line)), note: "maintenance" } as const;
}

function noticeOf(line: Line) {
  const inMs = seconds(line.options.get("in") ?? "120s");
  return { kind: "node.notice", nodeId: nodeId(word(line)), inMs, note: "spot" } as const;
}

/** `end job-1 stopped`, `end job-1 exited code=1 rank=0`. */
function endTasks(stage: Stage, line: Line): readonly string[] {
  const reason = EXIT_REASONS.find((known) => known === line.words[1]);
  const exit: TaskExit = {
    reason: must(reason, `a reason, one of ${EXIT_REASONS.join(", ")}`),
    code: count(line, "code", 0),
    message: "",
  };
  const rank = line.options.get("rank");
  stage.end(jobId(word(line)), exit, rank === undefined ? null : [Number(rank)]);
  return [];
}

const EXIT_REASONS = [
  "exited",
  "stopped",
  "killed",
  "restore_failed",
  "signalled",
  "disk_full",
  "supervisor_lost",
] as const;

function explain(stage: Stage, line: Line): readonly string[] {
  const job = stage.job(jobId(word(line)));
  const hold = job.phase.kind === "pending" ? stage.holdOf(job.id) : undefined;
  return [renderHold(job, hold)];
}

/** What a waiting job is told of its start. */
function when(stage: Stage, line: Line): readonly string[] {
  const job = stage.job(jobId(word(line)));
  const { state, nowMs } = stage;
  const starts = forecastStarts(state, nowMs);
  const prospect = prospectOf({ state, nowMs, starts }, job, 0, stage.holdOf(job.id));
  return [renderProspect(job, prospect)];
}

function parseLine(text: string): Line {
  const [verb = "", ...rest] = text.trim().split(/\s+/);
  const options = rest.filter((part) => part.includes("=")).map(pair);
  return { verb, words: rest.filter((part) => !part.includes("=")), options: new Map(options) };
}

function pair(part: string): readonly [string, string] {
  const at = part.indexOf("=");
  return [part.slice(0, at), part.slice(at + 1)];
}

const word = (line: Line): string => must(line.words[0], `what to ${line.verb}`);

function count(line: Line, name: string, otherwise?: number): number {
  const text = line.options.get(name);
  const value = text === undefined ? otherwise : Number(text);
  return must(value, `${name}= of ${line.verb}`);
}

/** `90s` or `5m`, in milliseconds. */
function seconds(text: string): number {
  const match = must(/^(\d+)([sm])$/.exec(text), `a time like 90s, not ${text}`);
  return Number(match[1]) * (match[2] === "m" ? 60_000 : 1_000);
}
