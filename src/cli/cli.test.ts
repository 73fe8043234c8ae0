import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Refusal } from "../base/errors.ts";
import { refuse } from "../base/errors.ts";
import type { GetJobResponse } from "../rpc/gen/trainyard/v1/GetJobResponse.ts";
import type { ListJobsRequest__Output } from "../rpc/gen/trainyard/v1/ListJobsRequest.ts";
import { unary } from "../rpc/handlers.ts";
import type { Services, World } from "./fixture.ts";
import { cli, jobs, NO_JOB, RUNNING_JOB, WAITING_JOB, openWorld } from "./fixture.ts";
import { REGISTRY } from "./registry.ts";
import { renderExitCodes } from "./exit-codes.ts";
import { renderCliReference } from "./reference.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe("ps", () => {
  it("lists jobs newest first with what they do or why they wait", async () => {
    const result = await cli(["ps"], await world.serve(jobs([WAITING_JOB, RUNNING_JOB])));
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
    const result = await cli(["ps"], await world.serve(jobs([WAITING_JOB])), options);
    for (const line of result.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it("an empty list is no error, and says so on stderr only", async () => {
    const result = await cli(["ps"], await world.serve(NO_JOB));
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("No active jobs.");
  });

  it("--quiet says nothing about it", async () => {
    expect((await cli(["ps", "-q"], await world.serve(NO_JOB))).stderr).toBe("");
  });

  it("--output json is one versioned value, --output name the ids", async () => {
    const at = await world.serve(jobs([RUNNING_JOB]));
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
    const at = await world.serve({
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
    expect((await cli(["ps"], await world.serve(jobs([evil])))).stdout).not.toContain("\u001B");
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
    const result = await cli(["show", "x"], await world.serve(failing(code)));
    expect(result).toEqual(expect.objectContaining({ code: exit, stdout: "" }));
    expect(result.stderr).toBe("error: It is so.\n→ Do this.\n");
  });

  it("with JSON the error is the one value on stdout", async () => {
    const result = await cli(["show", "x", "--json"], await world.serve(failing("JOB_NOT_FOUND")));
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
    const at = await world.serve({
      JobService: { ListJobs: unary(() => new Promise(() => undefined)) },
    });
    expect((await cli(["ps", "--timeout", "100ms"], at)).code).toBe(5);
  });

  it("Ctrl-C is 130", async () => {
    const signal = AbortSignal.abort();
    expect((await cli(["ps"], await world.serve(NO_JOB), { signal })).code).toBe(130);
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
    const at = await world.serve({
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
        "  It asks for 8 GPUs.\n  3 are free.\n" +
        "→ nodes: 1 would start now\n",
    );
  });

  it("without any job is not found", async () => {
    const result = await cli(["show", "@last"], await world.serve(NO_JOB));
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("User ann has no job yet.");
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
        expect(spec.examples.length).toBeGreaterThan(0);
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
