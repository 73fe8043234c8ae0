import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApplyQueuesRequest } from "../rpc/gen/trainyard/v1/ApplyQueuesRequest.ts";
import { RefusalError, refuse } from "../base/errors.ts";
import { unary } from "../rpc/handlers.ts";
import type { Services, World } from "./fixture.ts";
import { ago, cli, jobs, RUNNING_JOB, openWorld } from "./fixture.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe("queue apply", () => {
  const PRESENT = [
    { spec: { path: "a", guarantee: 2, limit: 4, weight: 1, order: "las" } },
    { spec: { path: "old", guarantee: 0, weight: 1, order: "las" } },
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
    writeFile(
      join(world.root, "q.yaml"),
      "queues:\n  a: {guarantee: 2, limit: 4}\n  b: {weight: 3}\n",
    ),
  );

  it("sends the tree and says what changed", async () => {
    const requests: ApplyQueuesRequest[] = [];
    const at = await world.serve(applying(requests));
    const result = await cli(["queue", "apply", "q.yaml"], at, { cwd: world.root });
    expect(result.stdout).toBe("QUEUE  CHANGE     FIELDS\na      unchanged\nb      created\n");
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
    const at = await world.serve(applying(requests));
    const refused = await cli(["queue", "apply", "q.yaml", "--prune"], at, { cwd: world.root });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("would delete old");
    expect(requests).toEqual([]);
    const done = await cli(["queue", "apply", "q.yaml", "--prune", "-y"], at, { cwd: world.root });
    expect([done.code, requests[0]?.prune]).toEqual([0, true]);
  });

  it("what the scheduler refuses is told with its line of the file", async () => {
    const message = 'Queue "a/b": lending_limit 9 is over the guarantee of 0.';
    const refused = refuse("QUEUE_INVALID", message, "Leave it out.", "a/b: lending_limit");
    const ApplyQueues = unary(async () => {
      throw new RefusalError(refused);
    });
    const at = await world.serve({ QueueService: { ...applying([]).QueueService, ApplyQueues } });
    await writeFile(
      join(world.root, "q.yaml"),
      "queues:\n  a: {queues: {b: {lending_limit: 9}}}\n",
    );
    const { stderr } = await cli(["queue", "apply", "q.yaml"], at, { cwd: world.root });
    expect(stderr).toContain(`q.yaml:2:20 ${message}`);
  });

  it("--dry-run changes nothing", async () => {
    const requests: ApplyQueuesRequest[] = [];
    const { QueueService } = applying(requests);
    const why = "job-9 needs 8 GPUs.";
    const evicted = { job: "job-3", queue: "old", preemptor: "job-9", kind: "reclaim", why };
    const stranded = [{ queue: "a", count: 7, jobs: ["job-4", "job-5"] }];
    const PreviewQueues = unary(async () => {
      return { outlook: { preemptions: [evicted], starts: 2, stranded } };
    });
    const at = await world.serve({ QueueService: { ...QueueService, PreviewQueues } });
    await writeFile(join(world.root, "q.yaml"), "queues:\n  a: {guarantee: 2, order: edf}\n");
    const args = ["queue", "apply", "q.yaml", "--prune", "--dry-run"];
    expect((await cli(args, at, { cwd: world.root })).stdout).toBe(
      "QUEUE  CHANGE   FIELDS\n" +
        "a      changed  limit 4 → -, order las → edf\n" +
        "old    deleted\n" +
        "7 jobs of a could never start: job-4, job-5 and 5 more.\n" +
        "job-3 of old would be preempted (reclaim): job-9 needs 8 GPUs.\n" +
        "2 waiting jobs would start.\n",
    );
    const json = JSON.parse((await cli([...args, "--json"], at, { cwd: world.root })).stdout);
    expect(json).toMatchObject({ isDryRun: true, starts: 2, preemptions: [evicted], stranded });
    expect(json.items[0].fields[0]).toEqual({ field: "limit", from: 4, to: null });
    expect(requests).toEqual([]);
  });
});

describe("the other lists", () => {
  it("queue shares draws what is due beside what is there", async () => {
    const queues = [
      {
        spec: { path: "prod", guarantee: 8 },
        allocatedGpus: 16,
        fairShareGpus: 8,
        demandGpus: 16,
        usageGpuHours: 120.25,
        heldShare: 1,
        heldResource: "gpus",
        dueShare: 0.5,
        dueResource: "gpus",
      },
      {
        spec: { path: "research/nlp", guarantee: 4 },
        allocatedGpus: 2,
        fairShareGpus: 8,
        demandGpus: 9,
        usageGpuHours: 3,
        heldShare: 0.25,
        heldResource: "memory",
        dueShare: 0.5,
        dueResource: "gpus",
      },
    ];
    const at = await world.serve({ QueueService: { ListQueues: unary(async () => ({ queues })) } });
    const shares = async (columns: number): Promise<string> =>
      (await cli(["queue", "shares"], at, { columns, env: { NO_COLOR: "1" } })).stdout;
    const wide = await shares(80);
    expect(wide).toBe(
      "QUEUE                            HELD  DUE   ERROR         SHARE  DEMAND    USED\n" +
        "prod   ███████████|████████████    16  8.0  +50.0%   100.0% gpus      16  120.3h\n" +
        "  nlp  ███░░|░░░░░░                 2  8.0  -25.0%  25.0% memory       9    3.0h\n",
    );
    expect(await shares(44)).toBe(
      "QUEUE                      HELD  DUE   ERROR\n" +
        "prod   ████████|█████████    16  8.0  +50.0%\n" +
        "  nlp  ██░░|░░░░              2  8.0  -25.0%\n",
    );
    for (const line of wide.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("node ls counts what is free, and drain names the node", async () => {
    const drained: unknown[] = [];
    const gpus = [0, 1].map((index) => ({
      index,
      type: "H100",
      jobId: index === 0 ? "job-7" : "",
    }));
    const node = {
      name: "n1",
      health: "UP",
      schedulability: "DRAINING",
      gpus,
      jobs: ["job-7"],
      rack: "b1/r2",
      isSpot: true,
    };
    const message = "12 MiB free for /data";
    const conditions = [{ kind: "disk_full", message }];
    const full = { name: "n2", health: "UP", schedulability: "OPEN", gpus, conditions };
    const at = await world.serve({
      NodeService: {
        ListNodes: unary(async () => ({ nodes: [node, full] })),
        DrainNode: unary(async (request) => {
          drained.push(request);
          return {};
        }),
        NoticeNode: unary(async (request) => {
          drained.push(request);
          return {};
        }),
      },
    });
    expect((await cli(["node", "ls"], at)).stdout).toBe(
      "NODE  STATE      GPUS  FREE  TYPE  PLACE       JOBS   NOTE\n" +
        "n1    DRAINING      2     1  H100  b1/r2 spot  job-7\n" +
        "n2    DISK_FULL     2     1  H100                     12 MiB free for /data\n",
    );
    expect((await cli(["node", "drain", "n1", "--note", "fan"], at)).code).toBe(0);
    expect((await cli(["node", "notice", "n1", "--in", "90s"], at)).code).toBe(0);
    expect(drained).toEqual([
      { requestId: "request-1", node: "n1", note: "fan" },
      { requestId: "request-1", node: "n1", note: "", in: { seconds: 90, nanos: 0 } },
    ]);
  });

  it("events are a timeline, checkpoints a table, a sweep is counted, metrics have their course", async () => {
    const at = await world.serve({
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
        SweepObjects: unary(async ({ dryRun }) => {
          return { objects: 3, sizeBytes: dryRun ? 2_000_000 : 0, uploads: 2, isPartial: dryRun };
        }),
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
    expect((await cli(["checkpoint", "sweep", "--dry-run"], at)).stdout).toBe(
      "3 objects (2 MB) and 2 unfinished uploads that nothing needs would be deleted. There are " +
        "more: sweep again when these are gone.\n",
    );
    expect((await cli(["metrics", "job-7"], at)).stdout).toBe(
      "METRIC  STEP    VALUE  MIN  MAX  COURSE\nloss       8  0.12346    1    3  █▅▁\n",
    );
  });

  it("show tells all about a job", async () => {
    const result = await cli(["show", "job-7"], await world.serve(jobs([RUNNING_JOB])));
    expect(result.stdout).toMatchSnapshot();
  });

  it("show says one GPU as one", async () => {
    const perNode = { gpus: 1, cpuMilli: 0, memoryMib: 0 };
    const small = { ...RUNNING_JOB, spec: { ...RUNNING_JOB.spec, nodes: 1, perNode } };
    const result = await cli(["show", "job-7"], await world.serve(jobs([small])));
    expect(result.stdout).toMatch(/^asks for +1 GPU$/m);
  });
});
