import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuse } from "../base/errors.ts";
import type { Job } from "../rpc/gen/trainyard/v1/Job.ts";
import { serverStream, unary } from "../rpc/handlers.ts";
import type { Services, World } from "./fixture.ts";
import { ago, cli, RUNNING_JOB, openWorld } from "./fixture.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe("cancel", () => {
  const at = (): Services => ({
    JobService: {
      CancelJob: unary(async ({ job }) =>
        job === "bad" ? refuse("JOB_ENDED", "It has ended.", "", "job") : { jobId: `job-${job}` },
      ),
    },
  });

  it("cancels each on its own: one that fails does not keep the others alive", async () => {
    const result = await cli(["cancel", "1", "bad", "3"], await world.serve(at()));
    expect(result.code).toBe(6);
    expect(result.stdout).toBe(
      "JOB    RESULT\njob-1  cancelled\nbad    It has ended.\njob-3  cancelled\n",
    );
  });

  it("one alone fails as any command does", async () => {
    const result = await cli(["cancel", "bad"], await world.serve(at()));
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
      await world.serve(watching([ended("job-1", "FAILED", 3)])),
    );
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toBe("job-1 train FAILED with exit code 3: rank 1 broke\n");
  });

  it("of several, the code of the first that did not succeed", async () => {
    const last = [ended("b", "FAILED", 9), ended("c", "CANCELLED", 0), ended("a", "SUCCEEDED", 0)];
    expect((await cli(["wait", "a", "c", "b"], await world.serve(watching(last)))).code).toBe(1);
  });

  it("0 when all succeeded", async () => {
    const last = [ended("a", "SUCCEEDED", 0)];
    expect(
      (await cli(["wait", "a", "--json"], await world.serve(watching(last)))).json(),
    ).toMatchObject({
      isTimeout: false,
      items: [{ id: "a", phase: "SUCCEEDED", exitCode: 0 }],
    });
  });

  it("124 when its time is over", async () => {
    const result = await cli(["wait", "a", "--timeout", "300ms"], await world.serve(watching([])));
    expect(result.code).toBe(124);
    expect(result.stderr).toContain("not ended: a");
  });
});

describe("ps --watch", () => {
  it("outlives a scheduler that is away for a while", async () => {
    const ctrlC = new AbortController();
    let calls = 0;
    const at = await world.serve({
      JobService: {
        ListJobs: unary(async () => {
          calls += 1;
          if (calls === 2) return refuse("SHUTTING_DOWN", "The scheduler is stopping.", "");
          if (calls === 3) setTimeout(() => ctrlC.abort(), 50);
          return { jobs: [{ ...RUNNING_JOB, id: `job-${calls}` }] };
        }),
      },
    });
    const argv = ["ps", "-w", "--interval", "200ms", "-o", "name"];
    const result = await cli(argv, at, { signal: ctrlC.signal });
    expect(result).toMatchObject({ code: 130, stdout: "job-1\njob-3\n" });
    expect(result.stderr).toBe("The scheduler is stopping. Trying again.\n");
  });
});
