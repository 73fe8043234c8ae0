import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Refusal } from "../base/errors.ts";
import { refuse } from "../base/errors.ts";
import type { SubmitJobRequest } from "../rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import type { SubmitJobResponse } from "../rpc/gen/trainyard/v1/SubmitJobResponse.ts";
import { clientStream, unary } from "../rpc/handlers.ts";
import type { Services, World } from "./fixture.ts";
import { cli, openWorld } from "./fixture.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

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
    const path = join(world.root, "packed", "bundle.tar.gz");
    await mkdir(join(world.root, "packed"));
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
      await world.serve(accepting(requests, bundles)),
      { cwd: world.root, ports: { packBundle: async () => bundle } },
    );
    expect(result).toMatchObject({ code: 0, stdout: "job-9\n" });
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatchObject({
      requestId: "request-1",
      spec: {
        name: "train",
        nodes: 2,
        gpuTypes: ["H100"],
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
    await writeFile(
      join(world.root, "job.yaml"),
      "nodes: 2\nrestarts: 1\nworkdir: null\nrun: echo hi\n",
    );
    const result = await cli(
      ["submit", "job.yaml", "--set", "nodes=3", "--set", "restarts=4", "--nodes", "5"],
      await world.serve(accepting(requests)),
      { cwd: world.root, env: { TRAINYARD_PROJECT: "research/nlp" } },
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
    const at = await world.serve(accepting(requests));
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
        "asks for    1 node with 2 GPUs\ncommand     torchrun train.py\n" +
        "code        2 files, 1.23 kB, commit 0123456789ab with uncommitted changes\n",
    );
    expect((await cli([...args, "--json"], null)).json()).toMatchObject({ kind: "JobSpec" });
  });

  it("--dry-run says what would become of the job, in the width of the terminal", async () => {
    const asked: string[] = [];
    const lines = [
      "It would wait.",
      "It asks for 2 GPUs and 0 are free.",
      "It is likely to start in 35 min, with 90 % by 70 min from now (2030-01-02T04:14:05Z): going " +
        "by how long such jobs ran before and the time limits of 3 of 9 that run.",
      "With gpus: 1 it would start now.",
    ];
    const at = await world.serve({
      JobService: {
        PreviewJob: unary(async ({ spec }) => {
          asked.push(spec?.name ?? "");
          const estimate = {
            p50: { seconds: 2_100, nanos: 0 },
            p90: { seconds: 4_200, nanos: 0 },
            basis: "runs",
          };
          const remedy = lines.at(-1) ?? "";
          return { verdict: "waits", lines, position: 1, remedy, estimate };
        }),
      },
    });
    const args = ["submit", "train.py", "--gpus", "2", "--dry-run"];
    const { stdout } = await cli(args, at, { columns: 80, env: { NO_COLOR: "1" } });
    expect(asked).toEqual(["train"]);
    expect(stdout.split("\n").every((line) => line.length <= 80)).toBe(true);
    expect(stdout).toContain(
      "\n\n  It would wait.\n  It asks for 2 GPUs and 0 are free.\n" +
        "  It is likely to start in 35 min, with 90 % by 70 min from now\n" +
        "  (2030-01-02T04:14:05Z): going by how long such jobs ran before and the time\n" +
        "  limits of 3 of 9 that run.\n→ With gpus: 1 it would start now.\n",
    );
    const json = (await cli([...args, "--json"], at)).json();
    expect(json).toMatchObject({ kind: "JobSpec", preview: { estimate: { p50Seconds: 2_100 } } });
  });

  it("--dry-run is refused as the submission would be", async () => {
    const at = await world.serve({
      JobService: {
        PreviewJob: unary(async () => {
          return refuse("QUEUE_NOT_FOUND", "Queue q does not exist.", "Queues: a.", "spec.queue");
        }),
      },
    });
    const result = await cli(["submit", "train.py", "--dry-run"], at);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("Queue q does not exist.");
  });

  it.each([
    [["submit"], "Nothing to submit."],
    [["submit", "program"], '"program" is neither a job file (.yaml) nor a script (.py, .sh).'],
    [["submit", "trian.py"], "trian.py is not among the 2 files packed from"],
    [["submit", "nowhere.yaml"], "nowhere.yaml: no such file."],
    [["submit", "train.py", "--gpus", "-1"], '--gpus: "-1" is not a number of GPUs'],
    [["submit", "train.py", "--memory", "lots"], '--memory: "lots" is not a size'],
    [["submit", "train.py", "--env", "UNSET_HERE"], "names a variable that is not set here"],
    [["submit", "train.py", "--set", "resources.gpuz=1"], "unknown key, did you mean gpus?"],
    [["submit", "train.py", "--procs-per-node", "900"], "900 is not a whole number from 0 to 64"],
  ])("%j is refused with what to do", async (argv, message) => {
    const result = await cli(argv, null, { cwd: world.root });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
  });

  it("a job that can never run is 7", async () => {
    const at = await world.serve({
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
