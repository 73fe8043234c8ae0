import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cli, type CliResult } from "../cli/fixture.ts";
import { openHistory } from "../scheduler/history.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import { nodeSpec, World } from "../scheduler/core/fixture.ts";
import { replay } from "./replay.ts";
import { simulate } from "./simulate.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trainyard-trace-"));
});
afterEach(() => rm(folder, { recursive: true }));

const HISTORY = { openHistory };

function run(...argv: readonly string[]): Promise<CliResult> {
  return cli(argv, null, {
    cwd: folder,
    ports: {
      simulate: (request, signal) => simulate(request, HISTORY, signal),
      replay: (path) => replay(path, HISTORY),
    },
  });
}

/**
 * `b` reclaims its node of two from `a` after 50 minutes; at an hour the job of `a` that kept the other
 * has had its 8 GPU hours, and the one that lost its node takes its turn.
 */
const TRACE = "submit_s,duration_s,gpus,vc\n0,7200,8,a\n0,7200,8,a\n3000,3600,8,b\n";

async function trace(text = TRACE): Promise<string> {
  const path = join(folder, "jobs.csv");
  await writeFile(path, text);
  return path;
}

const TWO_TEAMS = ["--nodes", "2", "--tenant-column", "vc"];

describe("trainyard simulate", () => {
  it("prints the figures of a trace as one JSON object, and the same digest each time", async () => {
    const argv = ["simulate", "--trace", await trace(), ...TWO_TEAMS, "--json"];
    const [one, two] = [(await run(...argv)).json(), (await run(...argv)).json()];
    expect(one).toEqual({
      jobs: 3,
      finished: 3,
      avgJctHours: 2.122222,
      p50JctHours: 2.516667,
      p99JctHours: 2.85,
      avgWaitHours: 0,
      p99WaitHours: 0,
      avgWaitHoursLarge: 0,
      worstTenantAvgWaitHours: 0,
      preemptions: 2,
      maxPreemptionsOfOneJob: 1,
      lostGpuHours: 2.933333,
      thrash: 0,
      utilization: 0.94152,
      makespanHours: 2.85,
      finishTimeFairnessWorst: 1.275785,
      unfairJobsPercent: 66.666667,
      shareErrorMax: 0,
      decisions: 9,
      passMsP50: expect.any(Number),
      passMsP99: expect.any(Number),
      wallSeconds: expect.any(Number),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(Reflect.get(Object(two), "digest")).toBe(Reflect.get(Object(one), "digest"));
  });

  it("compares policies in one table", async () => {
    const argv = ["simulate", "--trace", await trace(), ...TWO_TEAMS];
    const { stdout, code } = await run(...argv, "--compare", "default,greedy");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^FIGURE +DEFAULT +GREEDY\n/);
    expect(stdout).toMatch(/\npreemptions +2 +0\n/);
  });

  it("takes a policy file and a queues file of the scheduler", async () => {
    await writeFile(join(folder, "policy.yaml"), "preemption: false\n");
    await writeFile(join(folder, "queues.yaml"), "queues: {a: {}, b: {guarantee: 8}}\n");
    const argv = ["simulate", "--trace", await trace(), ...TWO_TEAMS, "--json"];
    const files = ["--policy", "./policy.yaml", "--queues", "queues.yaml"];
    expect((await run(...argv, ...files)).json()).toMatchObject({ preemptions: 0, finished: 3 });
  });

  it("writes a log that `replay` reproduces, and that is a workload again", async () => {
    const argv = ["simulate", "--trace", await trace(), ...TWO_TEAMS, "--json"];
    const first = (await run(...argv, "--log", "log.jsonl")).json();
    expect((await run("replay", "log.jsonl", "--json")).json()).toMatchObject({
      placements: 5,
      preemptions: 2,
      difference: null,
    });
    const again = await run("simulate", "--from-log", "log.jsonl", "--policy", "log", "--json");
    expect(again.json()).toMatchObject({ digest: Reflect.get(Object(first), "digest") });
  });

  it("runs on nodes of several kinds, as a file describes them", async () => {
    const jobs = "submit_s,duration_s,gpus\n0,3600,8\n0,3600,8\n0,3600,4\n";
    const argv = ["simulate", "--trace", await trace(jobs), "--policy", "fifo", "--json"];
    const nodes = (second: string): Promise<void> =>
      writeFile(join(folder, "cluster.yaml"), `{nodes: [{gpus: 8, type: H100}, ${second}]}`);
    await nodes("{count: 2, gpus: 4, type: L40S, cpus: 64, memory: 512GiB}");
    const mixed = await run(...argv, "--cluster", "cluster.yaml");
    expect(mixed.json()).toMatchObject({ finished: 3, makespanHours: 2 });
    await nodes("{gpus: 8}");
    const large = await run(...argv, "--cluster", "cluster.yaml");
    expect(large.json()).toMatchObject({ finished: 3, makespanHours: 2, avgWaitHours: 0.333333 });
  });

  it("refuses a gang for which no type of GPU has nodes enough", async () => {
    const argv = [
      "simulate",
      "--trace",
      await trace("submit_s,duration_s,gpus\n0,60,32\n0,60,8\n"),
    ];
    const nodes = "[{count: 2, gpus: 8, type: H100}, {count: 2, gpus: 8, type: A100}]";
    await writeFile(join(folder, "cluster.yaml"), `{nodes: ${nodes}}`);
    const { stderr } = await run(...argv, "--cluster", "cluster.yaml");
    expect(stderr).toContain("jobs.csv:2: It asks for 4 nodes with 8 GPUs each, and only 2 of");
    const rest = await run(...argv, "--cluster", "cluster.yaml", "--skip-oversize", "--json");
    expect(rest.json()).toMatchObject({ jobs: 1, finished: 1 });
  });

  it("ends though a job waits for ever and dues are noted all the time", async () => {
    await writeFile(join(folder, "policy.yaml"), "{share_window: 1h}\n");
    await writeFile(join(folder, "queues.yaml"), "queues: {default: {limit: 4}}\n");
    const argv = ["simulate", "--trace", await trace("submit_s,duration_s,gpus\n0,60,8\n0,60,4\n")];
    const files = ["--policy", "./policy.yaml", "--queues", "queues.yaml"];
    const { stdout } = await run(...argv, ...files, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ jobs: 2, finished: 1 });
  });

  describe("of a log", () => {
    const H100 = { index: 0, type: "H100", memoryMib: 80_000, island: "" };
    /** A job of class `low` ran on the only node that has what it asks for. */
    async function logOfTypes(): Promise<void> {
      const world = new World();
      world.register(nodeSpec("plain", 1));
      const gpus = [{ ...H100, uuid: "GPU-1" }];
      world.register({ ...nodeSpec("fast", 1), gpus, labels: { rack: "r1" } });
      const job = world.submit({ gpuTypes: ["H100"], priorityClass: "low" });
      world.plan();
      world.run();
      world.nowMs += 3_600_000;
      world.end(job);
      const lines = world.log.map((event) => `${JSON.stringify(event)}\n`);
      await writeFile(join(folder, "log.jsonl"), lines.join(""));
    }
    const argv = ["simulate", "--from-log", "log.jsonl"];

    it("jobs ask for what they asked for, on the nodes that there were", async () => {
      await logOfTypes();
      await run(...argv, "--log", "again.jsonl");
      const again = await readFile(join(folder, "again.jsonl"), "utf8");
      const events = again
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as LoggedEvent).event);
      const [submitted] = events.filter((event) => event.kind === "job.submitted");
      expect(submitted?.spec).toMatchObject({ gpuTypes: ["H100"], priorityClass: "low" });
      const placed = events.flatMap((event) =>
        event.kind === "job.placed" ? event.placement : [],
      );
      expect(placed).toEqual([{ nodeId: "node-1", gpus: [0] }]);
    });

    it("what no node of another cluster has is refused, or left out", async () => {
      await logOfTypes();
      const { stderr } = await run(...argv, "--nodes", "4");
      expect(stderr).toContain(
        "job-1: No schedulable node has a GPU of type H100; there are virtual. The cluster has 4 nodes",
      );
      const two = await run(...argv, "--gpus-per-node", "2");
      expect(two.stderr).toContain("The cluster has 2 nodes of 2 GPUs");
      const none = await run(...argv, "--gpus-per-node", "2", "--skip-oversize");
      expect(none.stderr).toContain("None of 1 job fits on 2 nodes of 2 GPUs.");
    });

    it("a policy file plays them that lacks their class, and lets fewer wait", async () => {
      await logOfTypes();
      const policy = "{priority_classes: {normal: 1}, limits: {users: {default: {queued: 0}}}}";
      await writeFile(join(folder, "policy.yaml"), policy);
      const { code } = await run(...argv, "--policy", "./policy.yaml");
      expect(code).toBe(0);
    });
  });

  it("a log that was decided otherwise ends `replay` with 1 and shows both versions", async () => {
    await run("simulate", "--trace", await trace(), ...TWO_TEAMS, "--log", "log.jsonl");
    const path = join(folder, "log.jsonl");
    const text = await readFile(path, "utf8");
    await writeFile(
      path,
      text.replace('"placement":[{"nodeId":"node-0"', '"placement":[{"nodeId":"node-1"'),
    );
    const { code, stdout } = await run("replay", "log.jsonl");
    expect(code).toBe(1);
    expect(stdout).toMatch(/Event \d+ differs\.\n {2}logged: .*node-1.*\n {2}replayed: .*node-0/);
  });

  it("writes a report that needs nothing else", async () => {
    const argv = ["simulate", "--trace", await trace(), ...TWO_TEAMS, "--html", "report.html"];
    expect((await run(...argv, "--compare", "default,greedy")).code).toBe(0);
    const html = await readFile(join(folder, "report.html"), "utf8");
    expect(html.match(/<svg /g)?.length).toBe(2 + 2 + 2 * 2);
    expect(html.match(/<table>/g)).toHaveLength(1);
    expect(html).not.toMatch(/https?:|<script|NaN|undefined|Infinity|\d\.\d{7}/);
  });

  it("makes up jobs by a description, with as many as asked for", async () => {
    const text = "jobs: 9\nkinds: [{gpus: 2, run_time: {median: 10m, p90: 1h}}]\ntenants: {x: 1}\n";
    await writeFile(join(folder, "workload.yaml"), text);
    const argv = ["simulate", "--workload", "workload.yaml", "--json"];
    expect((await run(...argv)).json()).toMatchObject({ jobs: 9, finished: 9 });
    expect((await run(...argv, "--jobs", "4")).json()).toMatchObject({ jobs: 4 });
  });

  it.each([
    [["--workload", "poison"], 'No workload is called "poison", did you mean poisson?'],
    [["--workload", "poisson", "--policy", "gready"], "did you mean greedy?"],
    [[], "No workload is named."],
    [["--workload", "poisson", "--from-log", "x"], "Two workloads are named."],
    [
      ["--workload", "backlog", "--nodes", "1", "--gpus-per-node", "1"],
      "job 1: It asks for 8 nodes with 1 GPU each, and only one of the cluster is that large (at most " +
        "1 GPU on one). The cluster has 1 node of 1 GPU; 304 jobs can never run there.",
    ],
    [["--trace", "absent.csv"], "absent.csv can't be read"],
    [["--workload", "bad.yaml"], "bad.yaml:1:20 kinds[0].gpus: 0 is not a whole number"],
    [["--workload", "poisson", "--cluster", "bad.yaml"], "bad.yaml:2:1 arivals"],
    [
      ["--workload", "poisson", "--cluster", "bad-nodes.yaml"],
      "bad-nodes.yaml:1:21 nodes[0].gpus: -1 is not a whole number from 0 to 1024",
    ],
    [["--workload", "poisson", "--cluster", "c.yaml", "--nodes", "2"], "so do --nodes"],
    [["--workload", "bad.yaml"], "bad.yaml:2:1 arivals: unknown key, did you mean arrivals?"],
  ])("%j is refused: %s", async (argv, message) => {
    await writeFile(
      join(folder, "bad.yaml"),
      "{jobs: 1, kinds: [{gpus: 0, run_time: {median: 1m, p90: 2m}}],\narivals: {}}\n",
    );
    await writeFile(join(folder, "bad-nodes.yaml"), "{nodes: [{count: 2, gpus: -1}]}\n");
    const { code, stderr } = await run("simulate", ...argv);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });
});
