import { describe, expect, it } from "vitest";
import { RefusalError } from "../../base/errors.ts";
import { parseYaml } from "../../config/yaml-file.ts";
import { jobTemplate } from "../commands/init.ts";
import { renderFilesReference } from "./files-reference.ts";
import { EDITOR_SCHEMAS, renderJsonSchema } from "./json-schema.ts";
import type { Override } from "./overrides.ts";
import { parseSet } from "./overrides.ts";
import type { ResolvedSpec } from "./resolve.ts";
import { jobName, resolveSpec } from "./resolve.ts";
import { wireSpec } from "./to-wire.ts";

async function resolveText(
  text: string,
  overrides: readonly Override[] = [],
): Promise<ResolvedSpec> {
  const file = await parseYaml(text, { file: "job.yaml", code: "INVALID_SPEC" });
  return resolveSpec({ file, overrides, nameSource: "jobs/big run.yaml", defaultQueue: "" });
}

async function problemsOf(text: string, overrides: readonly Override[] = []): Promise<string[]> {
  const error: unknown = await resolveText(text, overrides).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof RefusalError ? error.refusal.message.split("\n") : [];
}

const FULL = `
name: train
queue: research/nlp
priority: high
nodes: 2
resources: {gpus: "H100:8", cpus: 2.5, memory: 24GiB}
workdir: code
setup: pip install -r requirements.txt
torchrun: {script: ./train.py, args: [--lr, "3e-4"], procs_per_node: 8, python: python3.11}
env: {OMP_NUM_THREADS: 4, DEBUG: true, NAME: x}
time_limit: 1-12:00:00
grace: 90s
signal: SIGUSR1
restarts: {max: 2}
checkpoint: {keep: 5, patterns: ["step-*"]}
array: 0-99%10
after: [job-41, {job: prep, on: any}]
begin_at: +2h
deadline: 2027-01-31T08:00Z
held: true
`;

describe("a job file", () => {
  it("settles every field in the units of the wire", async () => {
    expect(await resolveText(FULL)).toEqual({
      name: "train",
      queue: "research/nlp",
      priorityClass: "high",
      nodes: 2,
      nodesMin: 2,
      gpus: 8,
      gpuTypes: ["H100"],
      mixesGpuTypes: false,
      topology: null,
      spot: "",
      cpuMilli: 2500,
      memoryMib: 24_576,
      command: {
        kind: "torchrun",
        script: "train.py",
        args: ["--lr", "3e-4"],
        procsPerNode: 8,
        python: "python3.11",
      },
      env: { OMP_NUM_THREADS: "4", DEBUG: "true", NAME: "x" },
      workdir: "code",
      setup: "pip install -r requirements.txt",
      timeLimitMs: 129_600_000,
      graceMs: 90_000,
      stopSignal: "SIGUSR1",
      restartsMax: 2,
      checkpoint: { keep: 5, patterns: ["step-*"] },
      array: { indexes: "0-99", parallel: 10 },
      after: [
        { job: "job-41", on: "ok" },
        { job: "prep", on: "any" },
      ],
      begin: { kind: "after", delayMs: 7_200_000 },
      deadline: { kind: "at", atMs: Date.parse("2027-01-31T08:00Z") },
      isHeld: true,
    });
  });

  it("leaves what it does not say to the cluster", async () => {
    const spec = await resolveText("run: echo hi");
    expect(wireSpec(spec, null)).toEqual({
      name: "big-run",
      queue: "",
      priorityClass: "",
      nodes: 1,
      nodesMin: 1,
      perNode: { gpus: 0, cpuMilli: 0, memoryMib: 0 },
      gpuTypes: [],
      mixesGpuTypes: false,
      topology: null,
      spot: "",
      exec: { argv: ["bash", "-c", "echo hi"] },
      env: {},
      bundle: null,
      setup: "",
      timeLimit: null,
      grace: null,
      stopSignal: "",
      restartsMax: 0,
      checkpoint: { keep: 0, patterns: [] },
      array: null,
      after: [],
      held: false,
    });
  });

  it("understands SkyPilot's names", async () => {
    const spec = await resolveText(
      "num_nodes: 3\nresources: {accelerators: A100:4}\nenvs: {A: b}\nrun: x",
    );
    expect([spec.nodes, spec.gpus, spec.gpuTypes, spec.env]).toEqual([3, 4, ["A100"], { A: "b" }]);
  });

  it.each([
    ["nodes: 3", [3, 3]],
    ["nodes: 2..4", [2, 4]],
    ["nodes: {min: 2, max: 4}", [2, 4]],
    ["num_nodes: 1..2", [1, 2]],
  ])("%s asks for as many nodes", async (line, [min, max]) => {
    expect(await resolveText(`run: x\n${line}`)).toMatchObject({ nodesMin: min, nodes: max });
  });

  it("the file that `init` writes is valid", async () => {
    expect((await resolveText(jobTemplate())).name).toBe("train");
  });
});

describe("mistakes", () => {
  it.each([
    [
      "run: x\nresources:\n  gpuz: 2",
      "job.yaml:3:3 resources.gpuz: unknown key, did you mean gpus?",
    ],
    ["run: x\nresorces: {}", "job.yaml:2:1 resorces: unknown key, did you mean resources?"],
    ["run: x\ngpus: 2", "job.yaml:2:1 gpus: belongs under resources: `resources: {gpus: 2}`"],
    [
      "run: x\nfile_mounts: {}",
      "job.yaml:2:1 file_mounts: is not supported; put the files into workdir, or read them from shared storage",
    ],
    ["run: x\nnodes: -1", "job.yaml:2:1 nodes: -1 is not a whole number from 1 to 4096"],
    ["run: x\nnodes: 0", "job.yaml:2:1 nodes: 0 is not a whole number from 1 to 4096"],
    ["run: x\nnodes: 1.5", "job.yaml:2:1 nodes: 1.5 is not a whole number from 1 to 4096"],
    [
      "run: x\nnodes: many",
      'job.yaml:2:1 nodes: "many" is not a whole number from 1 to 4096, nor a range such as 2..4',
    ],
    [
      "run: x\nnodes: 4..2",
      'job.yaml:2:1 nodes: "4..2" is not a range such as 2..4: 4 is more than 2',
    ],
    [
      "run: x\nnodes: 0..2",
      'job.yaml:2:1 nodes: "0..2" is not a range such as 2..4, from 1 to 4096',
    ],
    ["run: x\nnodes: {min: 4, max: 2}", "job.yaml:2:1 nodes: is not a range: 4 is more than 2"],
    [
      "run: x\nnodes: {min: 2}",
      "job.yaml:2:1 nodes.max: nothing is not a whole number from 1 to 4096",
    ],
    [
      "run: x\nresources: {gpus: -2}",
      'job.yaml:2:13 resources.gpus: "-2" is not a number of GPUs; write a count such as 8, or a model and a count such as H100:8',
    ],
    [
      "run: x\nresources: {gpus: 100000}",
      'job.yaml:2:13 resources.gpus: "100000" asks for more than 4096 GPUs a node',
    ],
    ["run: x\nresources: {cpus: -1}", "job.yaml:2:13 resources.cpus: -1 is negative"],
    [
      "run: x\nresources: {memory: 32}",
      'job.yaml:2:13 resources.memory: "32" is not a size; write it like 24GB (10^9 bytes), 24GiB or 24G (2^30 bytes), 512MiB',
    ],
    [
      "run: x\nresources: [gpu]",
      'job.yaml:2:1 resources: ["gpu"] is not a map such as {gpus: 2, memory: 24GB}',
    ],
    [
      "run: x\ntime_limit: soon",
      'job.yaml:2:1 time_limit: "soon" is not a duration; write it like 90s, 30m, 1h30m or 1-12:00:00 (days-hours:minutes:seconds)',
    ],
    ["run: x\ntime_limit: 0", 'job.yaml:2:1 time_limit: "0" is outside 1s to 365d'],
    [
      "run: x\nsignal: SIGKILL",
      'job.yaml:2:1 signal: "SIGKILL" is not SIGTERM, SIGUSR1, SIGUSR2, SIGINT or none',
    ],
    [
      "run: x\nname: ../../etc",
      'job.yaml:2:1 name: "../../etc" is not a job name: letters, digits, `.`, `_`, `-`, at most 63',
    ],
    ["run: x\nqueue: /a", 'job.yaml:2:1 queue: "/a" is not a queue such as research/nlp'],
    ["run: x\nenv: {1A: x}", 'job.yaml:2:7 env.1A: "1A" is not a name of an environment variable'],
    [
      "run: x\nrestarts: {max: -1}",
      "job.yaml:2:12 restarts.max: -1 is not a whole number from 0 to 1000",
    ],
    [
      "run: x\nrestarts: {on: [failed]}",
      "job.yaml:2:12 restarts.on: is not needed: preemptions and lost nodes are always retried",
    ],
    [
      "run: x\ncheckpoint: {keep: 0}",
      "job.yaml:2:14 checkpoint.keep: 0 is not a whole number from 1 to 1000",
    ],
    ["run: x\narray: 5-1", 'job.yaml:2:1 array: "5-1" has the range 5-1, which is empty'],
    [
      "run: x\narray: {indexes: 0-20000}",
      'job.yaml:2:9 array.indexes: "0-20000" has more than 10000 indexes',
    ],
    [
      "run: x\narray: 0-9%0",
      'job.yaml:2:1 array: "0-9%0" must have a number from 1 to 999999 after %',
    ],
    [
      "run: x\nafter: job-1:never",
      'job.yaml:2:1 after: "job-1:never" is not a job with ok, failed or any, such as job-41:ok',
    ],
    [
      "run: x\nbegin_at: tomorrow",
      'job.yaml:2:1 begin_at: "tomorrow" is no time; write it like +2h, 2027-01-31T08:00 or …T08:00Z',
    ],
    ["run: {a: b}", 'job.yaml:1:1 run: {"a":"b"} is neither shell text nor a list of words'],
    ["torchrun: {args: []}", "job.yaml:1:1 torchrun.script: nothing is not a path"],
    [
      "run: x\ntorchrun: {script: t.py}",
      "job.yaml:1:1 run: stands beside torchrun; a job runs one of them",
    ],
    [
      "run: x\nnodes: 1\nnum_nodes: 2",
      "job.yaml:3:1 num_nodes: is another name of nodes; write only one of them",
    ],
    [
      "name: x",
      "job.yaml:1:1: nothing to run; give `run:` or `torchrun:`, or a script as an argument",
    ],
    ["- a", 'job.yaml:1:1: ["a"] is not a map with fields such as name, resources, run'],
  ])("%j", async (text, message) => {
    const problems = await problemsOf(text);
    expect(problems).toContain(message);
  });

  it("are all named at once", async () => {
    const problems = await problemsOf("nodes: -1\nresources: {gpuz: 1, cpus: x}\nrun: x");
    expect(problems).toHaveLength(3);
  });

  it("an empty file has nothing to run", async () => {
    expect(await problemsOf("")).toEqual([
      "job.yaml:1:1: nothing to run; give `run:` or `torchrun:`, or a script as an argument",
    ]);
  });
});

describe("flags and --set", () => {
  const flag = (path: string, value: unknown, where: string): Override => ({
    path: path.split("."),
    value,
    where,
  });

  it("beat the file, whichever of a field's names it uses", async () => {
    const spec = await resolveText(
      "num_nodes: 2\nresources: {accelerators: A100:4, cpus: 3}\nrun: x",
      [flag("nodes", 5, "--nodes"), flag("resources.gpus", "H100:8", "--gpus")],
    );
    expect([spec.nodes, spec.gpus, spec.gpuTypes, spec.cpuMilli]).toEqual([5, 8, ["H100"], 3000]);
  });

  it("a mistake in a flag names the flag, one in the file its line", async () => {
    const problems = await problemsOf("run: x\nnodes: -1", [
      flag("resources.gpus", "-1", "--gpus"),
    ]);
    expect(problems.map((line) => line.split(":")[0])).toEqual(["job.yaml", "--gpus"]);
  });

  it("--set reads its value as YAML", async () => {
    const sets = await Promise.all(
      ["checkpoint.keep=7", "torchrun.args=[--a, b]", "env.X=1=2"].map(parseSet),
    );
    const spec = await resolveText("torchrun: {script: t.py}", sets);
    expect([spec.checkpoint.keep, spec.command, spec.env]).toMatchObject([
      7,
      { args: ["--a", "b"] },
      { X: "1=2" },
    ]);
  });

  it.each(["keep", "=1", "a..b=1", "__proto__.x=1", "a.constructor.b=1"])(
    "--set %j is refused",
    async (text) => {
      await expect(parseSet(text)).rejects.toThrow("is not field=value");
    },
  );

  it("an unknown field of --set gets a suggestion", async () => {
    const set = await parseSet("resources.gpuz=1");
    expect(await problemsOf("run: x", [set])).toEqual([
      "--set resources.gpuz=1: unknown key, did you mean gpus?",
    ]);
  });
});

describe("names", () => {
  it.each([
    ["jobs/big run.yaml", "big-run"],
    ["train.py", "train"],
    ["./-x-.sh", "x"],
    ["???", "job"],
    ["a".repeat(100), "a".repeat(63)],
  ])("%s becomes %s", (source, name) => {
    expect(jobName(source)).toBe(name);
  });
});

describe("schemas for editors", () => {
  it.each(EDITOR_SCHEMAS.map((schema) => [schema.file, schema] as const))(
    "schemas/%s is current",
    async (file, schema) => {
      await expect(renderJsonSchema(schema)).toMatchFileSnapshot(`../../../schemas/${file}`);
    },
  );

  it("docs/reference/files.md names every field of every file", async () => {
    await expect(renderFilesReference()).toMatchFileSnapshot("../../../docs/reference/files.md");
  });
});
