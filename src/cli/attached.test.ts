// `run`, `logs` and `attach` against a real gRPC server: what stays whole over preemptions and
// breaks.

import { afterEach, describe, expect, it } from "vitest";
import { refuse } from "../base/errors.ts";
import type { WireFixture } from "../rpc/fixture.ts";
import type { Job } from "../rpc/gen/trainyard/v1/Job.ts";
import type { ReadLogsRequest__Output } from "../rpc/gen/trainyard/v1/ReadLogsRequest.ts";
import type { ReadLogsResponse } from "../rpc/gen/trainyard/v1/ReadLogsResponse.ts";
import { bidiStream, serverStream, unary } from "../rpc/handlers.ts";
import type { JobServiceHandlers } from "../rpc/gen/trainyard/v1/JobService.ts";
import { ago, cli, RUNNING_JOB, serveSome } from "./fixture.ts";

let server: WireFixture | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
});

async function serve(handlers: Partial<JobServiceHandlers>): Promise<WireFixture> {
  server = await serveSome({
    JobService: { SubmitJob: unary(async () => ({ jobId: "job-7" })), ...handlers },
  });
  return server;
}

const attempt = (number: number, outcome = "") => ({
  ...RUNNING_JOB.attempts?.[0],
  number,
  outcome,
});

const single: Job = {
  ...RUNNING_JOB,
  spec: { ...RUNNING_JOB.spec, nodes: 1 },
};
const done = (phase: string, exitCode: number, attempts = [attempt(1, "succeeded")]): Job => ({
  ...single,
  phase,
  exitCode,
  attempts,
  endedAt: ago(0),
});

const chunk = (text: string, more: Partial<ReadLogsResponse> = {}): ReadLogsResponse => ({
  attempt: 1,
  rank: 0,
  stream: "stdout",
  offset: 0,
  data: Buffer.from(text),
  ...more,
});

/** Sends these states, then keeps the watch open. */
const watch = (states: readonly Job[]) =>
  serverStream<unknown, { job: Job }>(async (_request, replies, { signal }) => {
    for (const job of states) await replies.send({ job });
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return undefined;
  });

const RUN = ["run", "--no-code", "--name", "x", "--", "true"];

describe("run", () => {
  it("shows stdout and stderr apart, and returns the job's exit code", async () => {
    const at = await serve({
      WatchJobs: watch([single, done("FAILED", 17)]),
      ReadLogs: serverStream(async (_request, replies) => {
        await replies.send(chunk("out\n"));
        await replies.send(chunk("err\n", { stream: "stderr" }));
        return undefined;
      }),
    });
    const result = await cli([...RUN.slice(0, 1), "-q", ...RUN.slice(1)], at);
    expect(result).toMatchObject({ code: 17, stdout: "out\n", stderr: "err\n" });
  });

  it("goes on over a preemption with the next attempt, and says so", async () => {
    const preempted: Job = {
      ...single,
      phase: "PENDING",
      attempts: [attempt(1, "preempted")],
      hold: { code: "WAITING_FOR_GPUS", message: "asks for 4", details: {} },
    };
    const again: Job = {
      ...single,
      attempts: [attempt(1, "preempted"), { ...attempt(2), resumeFrom: "c", resumedFromStep: 40 }],
    };
    const at = await serve({
      WatchJobs: watch([
        single,
        preempted,
        again,
        done("SUCCEEDED", 0, [attempt(1, "preempted"), attempt(2, "succeeded")]),
      ]),
      ReadLogs: serverStream(async ({ attempt: number }, replies) => {
        await replies.send(chunk(`attempt ${number}\n`, { attempt: number }));
        return undefined;
      }),
    });
    const result = await cli(RUN, at);
    expect(result).toMatchObject({ code: 0, stdout: "attempt 1\nattempt 2\n" });
    expect(result.stderr).toContain("waits: WAITING_FOR_GPUS: asks for 4");
    expect(result.stderr).toContain("attempt 2, from step 40");
    expect(result.stderr).toContain("job-7 train SUCCEEDED");
  });

  it("a break of the stream neither loses nor repeats a byte", async () => {
    const requests: ReadLogsRequest__Output[] = [];
    const at = await serve({
      WatchJobs: watch([single, done("SUCCEEDED", 0)]),
      ReadLogs: serverStream(async (request, replies) => {
        requests.push(request);
        await replies.send(chunk("one two "));
        if (requests.length === 1) return refuse("AGENT_UNREACHABLE", "gone", "wait");
        await replies.send(chunk("two three\n", { offset: 4 }));
        return undefined;
      }),
    });
    const result = await cli(RUN, at);
    expect(result.stdout).toBe("one two three\n");
    expect(requests.map(({ attempt: number, follow }) => [number, follow])).toEqual([
      [1, true],
      [1, true],
    ]);
  });

  it("a scheduler that restarts is waited for", async () => {
    let calls = 0;
    const at = await serve({
      WatchJobs: serverStream(async (_request, replies) => {
        calls += 1;
        await replies.send({ job: calls === 1 ? single : done("SUCCEEDED", 0) });
        return refuse("SHUTTING_DOWN", "restarts", "wait");
      }),
      ReadLogs: serverStream(async () => undefined),
    });
    const result = await cli(RUN, at);
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("The scheduler does not answer; trying again.");
  });

  it("Ctrl-C leaves the job running and says how to come back", async () => {
    const ctrlC = new AbortController();
    const cancelled: unknown[] = [];
    const at = await serve({
      CancelJob: unary(async (request) => {
        cancelled.push(request);
        return {};
      }),
      WatchJobs: watch([single]),
      ReadLogs: serverStream(async (_request, replies, { signal }) => {
        await replies.send(chunk("begun\n"));
        ctrlC.abort();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return undefined;
      }),
    });
    const result = await cli(RUN, at, { signal: ctrlC.signal });
    expect(result.code).toBe(130);
    expect(result.stderr).toContain("Detached; job-7 goes on.");
    expect(result.stderr).toContain("trainyard logs -f job-7");
    expect(cancelled).toEqual([]);
  });

  it("--timeout leaves it running with 124", async () => {
    const at = await serve({
      WatchJobs: watch([single]),
      ReadLogs: serverStream(async () => undefined),
    });
    const args = ["run", "--timeout", "1s", "--no-code", "--", "true"];
    const result = await cli(args, at);
    expect(result.code).toBe(124);
    expect(result.stderr).toContain("The time is over; job-7 goes on.");
  });

  it("an unknown queue is refused before anything is attached", async () => {
    const at = await serve({
      SubmitJob: unary(
        async (): Promise<{ jobId: string } | ReturnType<typeof refuse>> =>
          refuse(
            "QUEUE_NOT_FOUND",
            'There is no queue "x".',
            "`trainyard queue ls`.",
            "spec.queue",
          ),
      ),
    });
    expect((await cli(RUN, at)).code).toBe(3);
  });
});

describe("logs", () => {
  const logs = (job: Job, chunks: readonly ReadLogsResponse[], asked: unknown[] = []) =>
    serve({
      GetJob: unary(async () => ({ job })),
      WatchJobs: watch([job]),
      ReadLogs: serverStream(async (request, replies) => {
        asked.push(request);
        for (const one of chunks) await replies.send(one);
        return undefined;
      }),
    });

  it("one node's bytes go through as they are", async () => {
    const at = await logs(single, [chunk("a\rb\u001B[31m"), chunk("c", { offset: 8 })]);
    expect((await cli(["logs", "job-7"], at)).stdout).toBe("a\rb\u001B[31mc");
  });

  it("several nodes' lines stay whole, each with its rank", async () => {
    const at = await logs(RUNNING_JOB, [
      chunk("first li"),
      chunk("other\nla", { rank: 1 }),
      chunk("ne\n", { offset: 8 }),
      chunk("st", { rank: 1, offset: 8 }),
    ]);
    expect((await cli(["logs", "job-7"], at)).stdout).toBe("[1] other\n[0] first line\n[1] last\n");
  });

  it("asks for the rank, attempt and lines that were named", async () => {
    const asked: unknown[] = [];
    const at = await logs(single, [], asked);
    const args = ["logs", "job-7", "--rank", "1", "--attempt", "2", "--tail", "5"];
    expect((await cli(args, at)).code).toBe(0);
    expect(asked).toEqual([{ job: "job-7", rank: 1, attempt: 2, tailLines: 5, follow: false }]);
  });

  it("-f ends when the job has ended", async () => {
    const at = await logs(done("SUCCEEDED", 0), [chunk("all\n")]);
    expect(await cli(["logs", "-f", "-q", "job-7"], at)).toMatchObject({
      code: 0,
      stdout: "all\n",
    });
  });

  it("JSON is one value, also of many chunks", async () => {
    const at = await logs(single, [chunk("a"), chunk("b", { offset: 1 })]);
    expect((await cli(["logs", "job-7", "--json"], at)).json()).toMatchObject({
      kind: "LogChunkList",
      items: [{ data: "a" }, { data: "b", offset: 1 }],
    });
  });

  it("a job that never started has no output, which is no error", async () => {
    const at = await logs({ ...single, phase: "PENDING", attempts: [] }, []);
    const result = await cli(["logs", "job-7"], at);
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("has not started yet");
  });
});

describe("attach", () => {
  it("sends what is typed, shows what comes, and returns the shell's exit code", async () => {
    const at = await serve({
      AttachJob: bidiStream(async (requests, replies) => {
        for await (const { open, input } of requests) {
          if (open)
            await replies.send({ output: Buffer.from(`${open.job} ${open.argv.join(" ")}\n`) });
          if (input) {
            await replies.send({ output: Buffer.from(`got ${input.toString()}`) });
            await replies.send({ exitCode: 7 });
            return undefined;
          }
        }
        return undefined;
      }),
    });
    const result = await cli(["attach", "job-7", "--", "cat", "-n"], at, { stdin: "hello\n" });
    expect(result).toMatchObject({ code: 7, stdout: "job-7 cat -n\ngot hello\n" });
  });

  it("a job without a task says so", async () => {
    const at = await serve({
      AttachJob: bidiStream(async () =>
        refuse("JOB_NOT_RUNNING", "job-7 has no running task.", "Wait until it runs.", "job"),
      ),
    });
    const result = await cli(["attach", "job-7"], at);
    expect(result.code).toBe(6);
    expect(result.stderr).toContain("no running task");
  });
});

describe("completion", () => {
  const names = () =>
    serveSome({
      JobService: { ListJobs: unary(async () => ({ jobs: [RUNNING_JOB] })) },
      QueueService: {
        ListQueues: unary(async () => ({ queues: [{ spec: { path: "research/nlp" } }] })),
      },
      NodeService: { ListNodes: unary(async () => ({ nodes: [{ name: "n1", health: "UP" }] })) },
    });

  it.each([
    [["lo"], "logs\tPrint the output of a job\n"],
    [["queue", "de"], "delete\tDelete an empty queue\n"],
    [["logs", "job"], "job-7\ttrain RUNNING\n"],
    [["logs", "-f", "@"], "@last\tyour newest job\n"],
    [["node", "drain", "n1", ""], "n1\tUP\n"],
    [["submit", "--queue", ""], "research/nlp\n"],
    [["ps", "--queue=re"], "--queue=research/nlp\n"],
    [["ps", "--phase", "RU"], "RUNNING\n"],
    [["ps", "-o", "j"], "json\n"],
    [["ps", "--lim"], "--limit\tThe newest so many.\n"],
    [["submit", ""], ":files\n"],
    [["submit", "--workdir", ""], ":directories\n"],
    [["submit", "train.py", "--", ""], ":files\n"],
    [["completion", "z"], "zsh\n"],
    [["nonsense", ""], ""],
  ])("%j", async (words, expected) => {
    server = await names();
    const { code, stdout, stderr } = await cli(["__complete", "--", ...words], server);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expected, stderr: "" });
  });

  it("without a scheduler there is silence, not an error", async () => {
    const args = ["__complete", "--", "--server", "127.0.0.1:1", "logs", ""];
    expect(await cli(args, { port: 1 })).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });
});
