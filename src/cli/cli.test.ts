import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Refusal } from "../base/errors.ts";
import { refuse } from "../base/errors.ts";
import type { WireFixture } from "../rpc/fixture.ts";
import type { ApplyQueuesRequest } from "../rpc/gen/trainyard/v1/ApplyQueuesRequest.ts";
import type { GetJobResponse } from "../rpc/gen/trainyard/v1/GetJobResponse.ts";
import type { Job } from "../rpc/gen/trainyard/v1/Job.ts";
import type { ListJobsRequest__Output } from "../rpc/gen/trainyard/v1/ListJobsRequest.ts";
import type { SubmitJobRequest } from "../rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import type { SubmitJobResponse } from "../rpc/gen/trainyard/v1/SubmitJobResponse.ts";
import { clientStream, serverStream, unary } from "../rpc/handlers.ts";
import type { ServiceHandlers } from "../rpc/server.ts";
import { ago, cli, RUNNING_JOB, serveSome, WAITING_JOB } from "./fixture.ts";
import { REGISTRY } from "./registry.ts";
import { renderExitCodes } from "./exit-codes.ts";
import { renderCliReference } from "./reference.ts";

let root: string;
let server: WireFixture | null = null;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "trainyard-cli-"));
});
afterEach(async () => {
  await server?.stop();
  server = null;
  await rm(root, { recursive: true });
});

type Services = { readonly [Name in keyof ServiceHandlers]?: Partial<ServiceHandlers[Name]> };

async function serve(services: Services): Promise<WireFixture> {
  server = await serveSome(services);
  return server;
}

const jobs = (list: readonly Job[]): Services => ({
  JobService: {
    ListJobs: unary(async () => ({ jobs: [...list], nextToken: "" })),
    GetJob: unary(async ({ job }) => {
      const found = list.find(({ id }) => id === job);
      return found === undefined
        ? refuse(
            "JOB_NOT_FOUND",
            `No job is called ${job}.`,
            "`trainyard ps -a` lists them.",
            "job",
          )
        : { job: found };
    }),
  },
});

const NO_JOB = jobs([]);

describe("ps", () => {
  it("lists jobs newest first with what they do or why they wait", async () => {
    const result = await cli(["ps"], await serve(jobs([WAITING_JOB, RUNNING_JOB])));
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toMatchInlineSnapshot(`
      "JOB    NAME   QUEUE         USER  GPUS  PHASE    TIME  TRY  WHERE / WHY
      job-8  train  research/nlp  ann    2×4  PENDING   10m    0  WAITING_FOR_GPUS: asks for 8 GPUs, 3 are free
      job-7  train  research/nlp  ann    2×4  RUNNING    8m    1  n1[0-3] n2[0,2-3]
      "
    `);
  });

  it.each([40, 80, 120])("fits a terminal of %d columns", async (columns) => {
    const options = { columns, env: { NO_COLOR: "1" } };
    const result = await cli(["ps"], await serve(jobs([WAITING_JOB])), options);
    for (const line of result.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it("an empty list is no error, and says so on stderr only", async () => {
    const result = await cli(["ps"], await serve(NO_JOB));
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("No active jobs.");
  });

  it("--quiet says nothing about it", async () => {
    expect((await cli(["ps", "-q"], await serve(NO_JOB))).stderr).toBe("");
  });

  it("--output json is one versioned value, --output name the ids", async () => {
    const at = await serve(jobs([RUNNING_JOB]));
    const value = (await cli(["ps", "--json"], at)).json();
    expect(value).toMatchObject({
      apiVersion: "trainyard/v1",
      kind: "JobList",
      items: [
        {
          id: "job-7",
          phase: "RUNNING",
          exitCode: null,
          submittedAt: "2030-01-02T02:54:05.000Z",
          attempts: [{ number: 1, outcome: "", endedAt: null }],
        },
      ],
    });
    expect((await cli(["ps", "-o", "name"], at)).stdout).toBe("job-7\n");
  });

  it("reads pages until the limit, and says when there is more", async () => {
    const asked: ListJobsRequest__Output[] = [];
    const at = await serve({
      JobService: {
        ListJobs: unary(async (request) => {
          asked.push(request);
          const size = Math.min(2, request.page?.size ?? 0);
          return { jobs: Array.from({ length: size }, () => RUNNING_JOB), nextToken: "more" };
        }),
      },
    });
    const args = ["ps", "--limit", "3", "--queue", "research", "--mine", "-a", "--phase", "FAILED"];
    const result = await cli(args, at);
    expect(asked.map(({ page }) => page)).toEqual([
      { size: 3, token: "" },
      { size: 1, token: "more" },
    ]);
    expect(asked[0]).toMatchObject({
      queue: "research",
      user: "ann",
      includeEnded: true,
      phases: ["FAILED"],
    });
    expect(result.stderr).toContain("Only the newest 3");
  });

  it("a control character in a name does not reach the terminal", async () => {
    const evil = { ...RUNNING_JOB, spec: { ...RUNNING_JOB.spec, name: "a\u001B[2Jb" } };
    expect((await cli(["ps"], await serve(jobs([evil])))).stdout).not.toContain("\u001B");
  });
});

describe("exit codes and errors", () => {
  const failing = (code: Parameters<typeof refuse>[0]): Services => ({
    JobService: {
      GetJob: unary(
        async (): Promise<GetJobResponse | Refusal> => refuse(code, "It is so.", "Do this.", "job"),
      ),
    },
  });

  it.each([
    ["JOB_NOT_FOUND", 3],
    ["INVALID_SPEC", 2],
    ["JOB_ENDED", 6],
    ["REQUEST_ID_REUSED", 6],
    ["EXCEEDS_CLUSTER", 7],
    ["EXCEEDS_QUEUE_LIMIT", 7],
    ["TOO_MANY_REQUESTS", 75],
    ["AGENT_UNREACHABLE", 5],
    ["STORE_CORRUPT", 1],
  ] as const)("%s ends with %d", async (code, exit) => {
    const result = await cli(["show", "x"], await serve(failing(code)));
    expect(result).toEqual(expect.objectContaining({ code: exit, stdout: "" }));
    expect(result.stderr).toBe("error: It is so.\n→ Do this.\n");
  });

  it("with JSON the error is the one value on stdout", async () => {
    const result = await cli(["show", "x", "--json"], await serve(failing("JOB_NOT_FOUND")));
    expect(result.stderr).toBe("");
    expect(result.json()).toEqual({
      apiVersion: "trainyard/v1",
      error: { code: "JOB_NOT_FOUND", message: "It is so.", remedy: "Do this.", field: "job" },
    });
  });

  it("nobody at the address is 5, with the address", async () => {
    const result = await cli(["ps", "--server", "127.0.0.1:1"], null);
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("127.0.0.1:1");
  });

  it("no answer in time is 5", async () => {
    const at = await serve({
      JobService: { ListJobs: unary(() => new Promise(() => undefined)) },
    });
    expect((await cli(["ps", "--timeout", "100ms"], at)).code).toBe(5);
  });

  it("Ctrl-C is 130", async () => {
    const signal = AbortSignal.abort();
    expect((await cli(["ps"], await serve(NO_JOB), { signal })).code).toBe(130);
  });

  it.each([
    [["pss"], "Unknown command 'pss' (Did you mean ps?)"],
    [["ps", "--al"], "Unknown option '--al' (Did you mean --all?)"],
    [["ps", "extra"], "Too many arguments"],
    [["show"], "Missing required argument 'job'"],
    [["ps", "--limit", "-3"], '--limit: "-3" is not a whole number of jobs, 1 to 100000'],
    [["ps", "--phase", "RUNING"], '--phase: "RUNING" is unknown, did you mean RUNNING?'],
    [["ps", "-o", "xml"], '--output: "xml" is unknown'],
    [["ps", "--", "x"], "takes nothing after `--`"],
    [["show", "@first"], "@first names no job."],
    [["completion", "bsh"], "Did you mean bash?"],
    [["config", "view", "schedular"], "did you mean scheduler?"],
  ])("%j is a usage error", async (argv, message) => {
    const result = await cli(argv, null);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain("→ ");
  });

  it("a usage error is JSON when JSON was asked for", async () => {
    for (const argv of [
      ["ps", "--nope", "--json"],
      ["ps", "-o", "json", "--nope"],
    ]) {
      expect((await cli(argv, null)).json()).toMatchObject({ error: { code: "USAGE" } });
    }
  });
});

describe("@last", () => {
  it("is the caller's newest job, also an ended one", async () => {
    const asked: ListJobsRequest__Output[] = [];
    const at = await serve({
      JobService: {
        ListJobs: unary(async (request) => {
          asked.push(request);
          return { jobs: [RUNNING_JOB] };
        }),
        ExplainJob: unary(async ({ job }) => ({
          job: { ...WAITING_JOB, id: job },
          lines: ["It asks for 8 GPUs.", "3 are free."],
          position: 2,
          ahead: ["job-3 (big, 16 GPUs)"],
          remedy: "nodes: 1 would start now",
        })),
      },
    });
    const result = await cli(["why", "@last"], at);
    expect(asked[0]).toMatchObject({ user: "ann", includeEnded: true, page: { size: 1 } });
    expect(result.stdout).toBe(
      "job-7  train  PENDING  WAITING_FOR_GPUS\n" +
        "  It asks for 8 GPUs.\n  3 are free.\n  Place 2 of queue research/nlp.\n" +
        "  Ahead: job-3 (big, 16 GPUs)\n→ nodes: 1 would start now\n",
    );
  });

  it("without any job is not found", async () => {
    const result = await cli(["show", "@last"], await serve(NO_JOB));
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("User ann has no job yet.");
  });
});

describe("submit", () => {
  const accepting = (requests: SubmitJobRequest[], bundles: unknown[] = []): Services => ({
    JobService: {
      SubmitJob: unary(async (request) => {
        requests.push(request);
        const isKnown = request.spec?.bundle === null || bundles.length > 0;
        return isKnown
          ? { jobId: "job-9", isRepeat: false }
          : refuse("BUNDLE_NOT_FOUND", "The code is not here.", "Upload it.", "spec.bundle");
      }),
      PutBundle: clientStream(async (messages) => {
        for await (const message of messages) bundles.push(message);
        return { wasThere: false };
      }),
    },
  });

  it("a script becomes a torchrun job; the code goes up only when it is asked for", async () => {
    const requests: SubmitJobRequest[] = [];
    const bundles: { digest?: string; data?: Buffer }[] = [];
    const path = join(root, "packed", "bundle.tar.gz");
    await mkdir(join(root, "packed"));
    await writeFile(path, "packed");
    const bundle = {
      path,
      digest: "cd".repeat(32),
      sizeBytes: 6,
      commit: "c0ffee",
      isDirty: false,
      files: ["train.py"],
      leftOut: [],
    };
    const result = await cli(
      ["submit", "train.py", "--gpus", "H100:2", "--nodes", "2", "-e", "A=b", "--", "--lr", "3e-4"],
      await serve(accepting(requests, bundles)),
      { cwd: root, ports: { packBundle: async () => bundle } },
    );
    expect(result).toMatchObject({ code: 0, stdout: "job-9\n" });
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatchObject({
      requestId: "request-1",
      spec: {
        name: "train",
        nodes: 2,
        gpuType: "H100",
        perNode: { gpus: 2 },
        torchrun: { script: "train.py", args: ["--lr", "3e-4"] },
        env: { A: "b" },
        bundle: { digest: bundle.digest, sizeBytes: 6, commit: "c0ffee" },
      },
    });
    expect(bundles.map(({ digest, data }) => [digest, data?.toString()])).toEqual([
      [bundle.digest, ""],
      ["", "packed"],
    ]);
    await expect(readFile(path)).rejects.toThrow("ENOENT");
  });

  it("a job file, with flags over --set over the file, and the configured project as its queue", async () => {
    const requests: SubmitJobRequest[] = [];
    await writeFile(join(root, "job.yaml"), "nodes: 2\nrestarts: 1\nworkdir: null\nrun: echo hi\n");
    const result = await cli(
      ["submit", "job.yaml", "--set", "nodes=3", "--set", "restarts=4", "--nodes", "5"],
      await serve(accepting(requests)),
      { cwd: root, env: { TRAINYARD_PROJECT: "research/nlp" } },
    );
    expect(result.code).toBe(0);
    expect(requests[0]?.spec).toMatchObject({
      name: "job",
      nodes: 5,
      restartsMax: 4,
      queue: "research/nlp",
      exec: { argv: ["bash", "-c", "echo hi"] },
    });
  });

  it("a command after -- runs as it is, and the idempotency key is the request id", async () => {
    const requests: SubmitJobRequest[] = [];
    const args = ["submit", "--name", "prep", "--no-code", "--idempotency-key", "k-1"];
    const at = await serve(accepting(requests));
    const result = await cli([...args, "--json", "--", "python", "prep.py", "--all"], at);
    expect(requests[0]).toMatchObject({
      requestId: "k-1",
      spec: { name: "prep", exec: { argv: ["python", "prep.py", "--all"] }, bundle: null },
    });
    expect(result.json()).toMatchObject({ kind: "Submitted", jobId: "job-9", isRepeat: false });
  });

  it("--dry-run hands nothing in, and shows the job", async () => {
    const args = ["submit", "train.py", "--gpus", "2", "--dry-run"];
    const result = await cli(args, null);
    expect(result.stdout).toBe(
      "name        train\nqueue       default\npriority    normal\n" +
        "asks for    1 node, each 2 GPUs\ncommand     torchrun train.py\n" +
        "code        2 files, 1.23 kB, commit 0123456789ab with uncommitted changes\n",
    );
    expect((await cli([...args, "--json"], null)).json()).toMatchObject({ kind: "JobSpec" });
  });

  it.each([
    [["submit"], "Nothing to submit."],
    [["submit", "program"], '"program" is neither a job file (.yaml) nor a script (.py, .sh).'],
    [
      ["submit", "trian.py"],
      "trian.py is not among the 2 files packed from .. Did you mean train.py?",
    ],
    [["submit", "nowhere.yaml"], "nowhere.yaml: no such file."],
    [["submit", "train.py", "--gpus", "-1"], '--gpus: "-1" is not a number of GPUs'],
    [["submit", "train.py", "--memory", "lots"], '--memory: "lots" is not a size'],
    [["submit", "train.py", "--env", "UNSET_HERE"], "names a variable that is not set here"],
    [["submit", "train.py", "--set", "resources.gpuz=1"], "unknown key, did you mean gpus?"],
    [["submit", "train.py", "--procs-per-node", "900"], "900 is not a whole number from 0 to 64"],
  ])("%j is refused with what to do", async (argv, message) => {
    const result = await cli(argv, null, { cwd: root });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
  });

  it("a job that can never run is 7", async () => {
    const at = await serve({
      JobService: {
        SubmitJob: unary(
          async (): Promise<SubmitJobResponse | Refusal> =>
            refuse("EXCEEDS_CLUSTER", "99 nodes; there are 3.", "Ask for fewer.", "spec.nodes"),
        ),
      },
    });
    expect((await cli(["submit", "--no-code", "--", "x"], at)).code).toBe(7);
  });
});

describe("cancel", () => {
  const at = (): Services => ({
    JobService: {
      CancelJob: unary(async ({ job }) =>
        job === "bad" ? refuse("JOB_ENDED", "It has ended.", "", "job") : { jobId: `job-${job}` },
      ),
    },
  });

  it("cancels each on its own: one that fails does not keep the others alive", async () => {
    const result = await cli(["cancel", "1", "bad", "3"], await serve(at()));
    expect(result.code).toBe(6);
    expect(result.stdout).toBe(
      "JOB    RESULT\njob-1  cancelled\nbad    It has ended.\njob-3  cancelled\n",
    );
  });

  it("one alone fails as any command does", async () => {
    const result = await cli(["cancel", "bad"], await serve(at()));
    expect(result).toMatchObject({ code: 6, stdout: "", stderr: "error: It has ended.\n" });
  });
});

describe("wait", () => {
  const ended = (id: string, phase: string, exitCode: number): Job => ({
    ...RUNNING_JOB,
    id,
    phase,
    exitCode,
    endedAt: ago(1),
    why: phase === "FAILED" ? "rank 1 broke" : "",
  });
  const watching = (last: readonly Job[]): Services => ({
    JobService: {
      GetJob: unary(async ({ job }) => ({ job: { ...RUNNING_JOB, id: job } })),
      WatchJobs: serverStream(async ({ jobs: ids }, replies, { signal }) => {
        for (const id of ids) await replies.send({ job: { ...RUNNING_JOB, id } });
        for (const job of last) await replies.send({ job });
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return undefined;
      }),
    },
  });

  it("returns the job's own exit code, with the reason on stderr", async () => {
    const result = await cli(
      ["wait", "job-1"],
      await serve(watching([ended("job-1", "FAILED", 3)])),
    );
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toBe("job-1 train FAILED with exit code 3: rank 1 broke\n");
  });

  it("of several, the code of the first that did not succeed", async () => {
    const last = [ended("b", "FAILED", 9), ended("c", "CANCELLED", 0), ended("a", "SUCCEEDED", 0)];
    expect((await cli(["wait", "a", "c", "b"], await serve(watching(last)))).code).toBe(1);
  });

  it("0 when all succeeded", async () => {
    const last = [ended("a", "SUCCEEDED", 0)];
    expect((await cli(["wait", "a", "--json"], await serve(watching(last)))).json()).toMatchObject({
      isTimeout: false,
      items: [{ id: "a", phase: "SUCCEEDED", exitCode: 0 }],
    });
  });

  it("124 when its time is over", async () => {
    const result = await cli(["wait", "a", "--timeout", "300ms"], await serve(watching([])));
    expect(result.code).toBe(124);
    expect(result.stderr).toContain("not ended: a");
  });
});

describe("queue apply", () => {
  const PRESENT = [
    { spec: { path: "a", guarantee: 2, limit: 4, weight: 1, order: "fifo" } },
    { spec: { path: "old", guarantee: 0, weight: 1, order: "fifo" } },
  ];
  const applying = (requests: ApplyQueuesRequest[]): Services => ({
    QueueService: {
      ListQueues: unary(async () => ({ queues: PRESENT })),
      ApplyQueues: unary(async (request) => {
        requests.push(request);
        return {};
      }),
    },
  });
  beforeEach(() =>
    writeFile(join(root, "q.yaml"), "queues:\n  a: {guarantee: 2, limit: 4}\n  b: {weight: 3}\n"),
  );

  it("sends the tree and says what changed", async () => {
    const requests: ApplyQueuesRequest[] = [];
    const at = await serve(applying(requests));
    const result = await cli(["queue", "apply", "q.yaml"], at, { cwd: root });
    expect(result.stdout).toBe("QUEUE  CHANGE\na      unchanged\nb      created\n");
    expect(requests[0]).toMatchObject({
      requestId: "request-1",
      prune: false,
      queues: [
        { path: "a", guarantee: 2, limit: 4 },
        { path: "b", weight: 3 },
      ],
    });
    expect(requests[0]?.queues?.[1]?.limit).toBeUndefined();
  });

  it("--prune does not delete unasked where nobody can be asked", async () => {
    const requests: ApplyQueuesRequest[] = [];
    const at = await serve(applying(requests));
    const refused = await cli(["queue", "apply", "q.yaml", "--prune"], at, { cwd: root });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("would delete old");
    expect(requests).toEqual([]);
    const done = await cli(["queue", "apply", "q.yaml", "--prune", "-y"], at, { cwd: root });
    expect([done.code, requests[0]?.prune]).toEqual([0, true]);
  });

  it("--dry-run changes nothing", async () => {
    const requests: ApplyQueuesRequest[] = [];
    const args = ["queue", "apply", "q.yaml", "--prune", "--dry-run"];
    const result = await cli(args, await serve(applying(requests)), { cwd: root });
    expect(result.stdout).toContain("old    deleted");
    expect(requests).toEqual([]);
  });
});

describe("the other lists", () => {
  it("queue shares draws what is due beside what is there", async () => {
    const queues = [
      { spec: { path: "prod", guarantee: 8 }, allocatedGpus: 16, fairShareGpus: 8 },
      { spec: { path: "research", guarantee: 4 }, allocatedGpus: 2, fairShareGpus: 8 },
    ];
    const at = await serve({ QueueService: { ListQueues: unary(async () => ({ queues })) } });
    const result = await cli(["queue", "shares"], at, { columns: 50, env: { NO_COLOR: "1" } });
    expect(result.stdout).toBe(
      "prod      ████████████|████████████  16 of 8.0 due\n" +
        "research  ███░░|░░░░░░░              2 of 8.0 due\n",
    );
  });

  it("node ls counts what is free, and drain names the node", async () => {
    const drained: unknown[] = [];
    const gpus = [0, 1].map((index) => ({
      index,
      type: "H100",
      jobId: index === 0 ? "job-7" : "",
    }));
    const node = { name: "n1", health: "UP", schedulability: "DRAINING", gpus, jobs: ["job-7"] };
    const at = await serve({
      NodeService: {
        ListNodes: unary(async () => ({ nodes: [node] })),
        DrainNode: unary(async (request) => {
          drained.push(request);
          return {};
        }),
      },
    });
    expect((await cli(["node", "ls"], at)).stdout).toBe(
      "NODE  STATE     GPUS  FREE  TYPE  JOBS   NOTE\nn1    DRAINING     2     1  H100  job-7\n",
    );
    expect((await cli(["node", "drain", "n1", "--note", "fan"], at)).code).toBe(0);
    expect(drained).toEqual([{ requestId: "request-1", node: "n1", note: "fan" }]);
  });

  it("events are a timeline, checkpoints a table, metrics have their course", async () => {
    const at = await serve({
      ...jobs([RUNNING_JOB]),
      JobService: {
        ...jobs([RUNNING_JOB]).JobService,
        ListJobEvents: unary(async () => ({
          events: [
            {
              seq: 1,
              at: ago(60),
              actor: "ann@default",
              kind: "job.submitted",
              message: "2×4 GPUs",
            },
            { seq: 5, at: ago(30), actor: "scheduler", kind: "job.placed", message: "on n1, n2" },
          ],
        })),
      },
      CheckpointService: {
        ListCheckpoints: unary(async () => ({
          checkpoints: [
            {
              id: "job-7/000000000200-1",
              step: 200,
              attempt: 1,
              state: "committed",
              takenAt: ago(90),
              sizeBytes: 1_234_567,
            },
          ],
        })),
      },
      TrackerService: {
        LatestMetrics: unary(async () => ({
          metrics: [{ name: "loss", step: 8, timestampMs: 0, value: 0.123456 }],
        })),
        QueryMetric: unary(async () => ({ step: [1, 2, 3], value: [3, 2, 1], total: 3 })),
      },
    });
    expect((await cli(["events", "job-7"], at)).stdout).toBe(
      "TIME          AFTER  WHO          WHAT\n" +
        "03:03:05.000    +0s  ann@default  job.submitted  2×4 GPUs\n" +
        "03:03:35.000   +30s  scheduler    job.placed     on n1, n2\n",
    );
    expect((await cli(["checkpoint", "ls", "job-7"], at)).stdout).toBe(
      "STEP  TRY  STATE        AGE     SIZE  CHECKPOINT\n" +
        " 200    1  committed  1m30s  1.23 MB  job-7/000000000200-1\n",
    );
    expect((await cli(["metrics", "job-7"], at)).stdout).toBe(
      "METRIC  STEP    VALUE  MIN  MAX  COURSE\nloss       8  0.12346    1    3  █▅▁\n",
    );
  });

  it("show tells all about a job", async () => {
    const result = await cli(["show", "job-7"], await serve(jobs([RUNNING_JOB])));
    expect(result.stdout).toMatchSnapshot();
  });
});

describe("setting up", () => {
  it("config view says where each value comes from", async () => {
    const args = ["config", "view", "client", "--show-origin", "--server", "head:1"];
    const { stdout } = await cli(args, null, { env: { TRAINYARD_TENANT: "ops" } });
    expect(stdout).toMatch(/client +server +head:1 +--server/);
    expect(stdout).toMatch(/client +tenant +ops +TRAINYARD_TENANT/);
    expect(stdout).toMatch(/client +user +ann +default/);
  });

  it("init writes a file once", async () => {
    expect((await cli(["init"], null, { cwd: root })).code).toBe(0);
    expect(await readFile(join(root, "job.yaml"), "utf8")).toMatch(
      /^# yaml-language-server: \$schema=/,
    );
    const again = await cli(["init"], null, { cwd: root });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("job.yaml exists.");
  });

  it("daemons get their settled options and the signal", async () => {
    const seen: unknown[] = [];
    const runAgent = async (options: unknown): Promise<number> => {
      seen.push(options);
      return 0;
    };
    const args = ["agent", "--virtual-gpus", "4", "--label", "rack=r1"];
    const env = { TRAINYARD_AGENT_NAME: "n7" };
    expect((await cli(args, null, { env, ports: { runAgent } })).code).toBe(0);
    expect(seen).toMatchObject([{ name: "n7", virtualGpus: 4, labels: { rack: "r1" } }]);
  });

  it("a daemon's contradictions are usage errors", async () => {
    const result = await cli(["scheduler", "--listen", "0.0.0.0:1"], null);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("can be reached from other machines");
  });

  it("version prints one line", async () => {
    for (const argv of [["version"], ["--version"], ["-V"]]) {
      expect((await cli(argv, null)).stdout).toMatch(/^trainyard \d+\.\d+\.\d+ /);
    }
  });

  it("doctor: what fails is named with what to do, and the exit code is 1", async () => {
    const probeObjectStore = () => Promise.reject(new Error("no bucket"));
    const args = ["doctor", "--client-only", "--object-store", "s3://b/p", "--json"];
    const result = await cli([...args, "--server", "127.0.0.1:1"], null, {
      ports: { probeObjectStore },
    });
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({
      kind: "CheckList",
      isHealthy: false,
      items: [
        { name: "node", status: "ok" },
        { name: "config", status: "ok" },
        { name: "scheduler", status: "fail" },
        { name: "object store", status: "fail", message: "no bucket" },
      ],
    });
  });
});

describe("help", () => {
  it("docs/reference/commands.md is the help of every command", async () => {
    const text = await renderCliReference(REGISTRY);
    await expect(text).toMatchFileSnapshot("../../docs/reference/commands.md");
  });

  it("docs/reference/exit-codes.md is the table of exit codes", async () => {
    await expect(renderExitCodes()).toMatchFileSnapshot("../../docs/reference/exit-codes.md");
  });

  it("every command teaches by example, and the overview says what the command says", async () => {
    const check = async (entries: typeof REGISTRY): Promise<void> => {
      for (const entry of entries) {
        if (entry.children !== undefined) await check(entry.children);
        const spec = await entry.load?.();
        if (spec === undefined) continue;
        expect(spec.examples.length, entry.name).toBeGreaterThan(0);
        expect([spec.name, spec.summary, spec.aliases]).toEqual([
          entry.name,
          entry.summary,
          entry.aliases,
        ]);
      }
    };
    await check(REGISTRY);
  });

  it.each([[["help", "ps"]], [["ps", "--help"]], [["ps", "-h"]]])("%j shows it", async (argv) => {
    const result = await cli(argv, null);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toContain("Usage: trainyard ps [flags]");
  });
});
