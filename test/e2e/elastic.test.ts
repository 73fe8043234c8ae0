// An elastic job with real torchrun: it runs with all that it takes, gives a node to a queue that is
// guaranteed it, takes the node back when it idles, and its loss curve shows nothing of all that.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cluster } from "../../src/cli/cluster.ts";
import type { Attempt__Output } from "../../src/rpc/gen/trainyard/v1/Attempt.ts";
import type { Job__Output } from "../../src/rpc/gen/trainyard/v1/Job.ts";
import { pythonWithTorch } from "./agent-fixture.ts";
import { connect, Daemons, jobUntil, phaseIs, until } from "./daemons.ts";

const python = pythonWithTorch();

/**
 * A batch is the same whatever the number of ranks, each takes its part of it: so the curve depends
 * on the step alone. Without a world it is the reference: so many steps, undisturbed. It leaves as
 * the examples do, and for that reason.
 */
const TRAIN = `
import json, os, pathlib, sys, time, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
steps, first = (int(sys.argv[1]), 1) if len(sys.argv) > 1 else (10**9, 1)
world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
parallel = model
if "WORLD_SIZE" in os.environ:
    dist.init_process_group("gloo")
    resume = pathlib.Path(os.environ.get("TRAINYARD_RESUME_DIR", "/none"))
    for found in sorted(resume.glob("step-*.pt"))[-1:]:
        saved = torch.load(found, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"] + 1
    parallel = DistributedDataParallel(model)

def asked(name):
    seen = torch.tensor([1 if os.path.exists(os.environ.get(name, "/none")) else 0])
    if world > 1: dist.all_reduce(seen, op=dist.ReduceOp.MAX)
    return bool(seen.item())

for step in range(first, steps + 1):
    inputs = torch.randn(8, 16, generator=torch.Generator().manual_seed(step))
    targets = torch.sin(inputs.sum(1, keepdim=True))
    loss = torch.nn.functional.mse_loss(parallel(inputs[rank::world]), targets[rank::world])
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    mean = loss.detach()
    if world > 1: dist.all_reduce(mean)
    if rank == 0: print(json.dumps({"step": step, "loss": mean.item() / world}), flush=True)
    leaving = asked("TRAINYARD_STOP_FILE") or asked("FINISH_FILE")
    if rank == 0 and "WORLD_SIZE" in os.environ and (leaving or step % 5 == 0):
        path = os.environ["TRAINYARD_CHECKPOINT_DIR"] + "/step-%08d.pt" % step
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({"step": step, **state}, path + ".tmp")
        os.replace(path + ".tmp", path)
    if leaving: break
    if "WORLD_SIZE" in os.environ: time.sleep(0.05)
if "WORLD_SIZE" in os.environ:
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)
`;

const QUEUES = "queues:\n  prod: {guarantee: 1}\n  research: {guarantee: 0}\n";
/** Changes of size that cost next to nothing, for jobs that save twice a second. */
const POLICY = "grow_after: 2s\nrestart_cost: 0s\nmin_run: 0s\npreemption_patience: 0s\n";

let daemons: Daemons;
beforeEach(() => {
  daemons = new Daemons();
});
afterEach(() => daemons.stop());

const file = (name: string, text = ""): string => {
  const path = join(daemons.dir, name);
  writeFileSync(path, text);
  return path;
};

async function startTwoNodes(): Promise<Cluster> {
  const files = ["--queues-file", file("queues.yaml", QUEUES)];
  const policy = ["--policy-file", file("policy.yaml", POLICY)];
  const { grpc } = await daemons.startScheduler(undefined, [...files, ...policy]);
  const cluster = await connect(grpc);
  for (const name of ["a", "b"]) daemons.startAgent(grpc, name);
  await until("the nodes", async () => (await cluster.listNodes({})).nodes.length === 2 || null);
  return cluster;
}

/** Waits for the attempt to run and to have saved; gives its nodes. */
async function runs(cluster: Cluster, jobId: string, number: number): Promise<readonly string[]> {
  const job = await jobUntil(cluster, jobId, `saving in attempt ${number}`, (seen) => {
    if (seen.attempts.length !== number || seen.phase !== "RUNNING") return null;
    const newest = seen.checkpoint?.attempt ?? 0;
    return newest === number ? seen : null;
  });
  return nodesOf(job.attempts.at(-1));
}

const nodesOf = (attempt: Attempt__Output | undefined): readonly string[] =>
  (attempt?.placement ?? []).map(({ node }) => node);

/** Metrics follow the process by a moment: waits until the last one is there. */
async function curveOf(
  cluster: Cluster,
  { runId }: Job__Output,
  steps: readonly number[],
): Promise<readonly number[]> {
  const { step, value } = await until("the last step's metric", async () => {
    const series = await cluster.queryMetric({ runId, metric: "loss", points: 100_000 });
    return series.step.at(-1) === steps.at(-1) ? series : null;
  });
  expect(step).toEqual(steps);
  return value;
}

test("an elastic job shrinks for a guarantee, grows again, and its curve does not show it", async () => {
  const cluster = await startTwoNodes();
  const finish = join(daemons.dir, "finish");
  const script = file("train.py", TRAIN);
  const elastic = await submit(cluster, "r-1", {
    name: "elastic",
    queue: "research",
    nodesMin: 1,
    nodes: 2,
    torchrun: { script, procsPerNode: 1, python },
    env: { FINISH_FILE: finish },
  });
  expect(await runs(cluster, elastic, 1)).toHaveLength(2);

  const go = join(daemons.dir, "go");
  const argv = ["/bin/sh", "-c", `while [ ! -e ${go} ]; do sleep 0.05; done`];
  const owner = await submit(cluster, "r-2", { name: "owner", queue: "prod", exec: { argv } });
  const kept = await runs(cluster, elastic, 2);
  expect(kept).toHaveLength(1);
  await phaseIs(cluster, owner, "RUNNING");

  writeFileSync(go, "");
  await phaseIs(cluster, owner, "SUCCEEDED");
  expect(await runs(cluster, elastic, 3)).toHaveLength(2);
  writeFileSync(finish, "");
  await phaseIs(cluster, elastic, "SUCCEEDED");

  const { job } = await cluster.getJob({ job: elastic });
  if (job === null) throw new Error("the job is forgotten");
  expect(job).toMatchObject({ preemptions: 0, failures: 0 });
  await expectNoWait(cluster, elastic);
  // Every attempt begins where the one before ended: no step is trained twice or left out.
  const attempts = [1, 2, 3].map((attempt) => stepsOf(cluster, elastic, attempt));
  const trained = (await Promise.all(attempts)).flat();
  const lastStep = trained.length;
  const steps = Array.from({ length: lastStep }, (_, at) => at + 1);
  expect(trained).toEqual(steps);
  // The last checkpoint may be committed when the job is over already.
  await until(`the checkpoint of step ${lastStep}`, async () => {
    const { job: seen } = await cluster.getJob({ job: elastic });
    return seen?.checkpoint?.step === lastStep || null;
  });
  const value = await curveOf(cluster, job, steps);
  const undisturbed = reference(script, lastStep);
  expect(value.map((loss, at) => Math.abs(loss - (undisturbed[at] ?? NaN)) < 1e-9)).not.toContain(
    false,
  );
  cluster.close();
});

async function submit(
  cluster: Cluster,
  requestId: string,
  spec: Parameters<Cluster["submitJob"]>[0]["spec"],
): Promise<string> {
  return (await cluster.submitJob({ requestId, spec: { perNode: { gpus: 1 }, ...spec } })).jobId;
}

/**
 * Each time it was stopped, it was placed again as soon as its last checkpoint was committed: it is
 * requeued once more if that came after its end.
 */
async function expectNoWait(cluster: Cluster, job: string): Promise<void> {
  const { events } = await cluster.listJobEvents({ job });
  const kinds = events.map(({ kind }) => kind).filter((kind) => !kind.startsWith("checkpoint."));
  const after = kinds.flatMap((kind, at) => (kind === "job.requeued" ? [kinds[at + 1]] : []));
  expect(after.filter((kind) => kind !== "job.requeued")).toEqual(["job.placed", "job.placed"]);
}

/** The steps that an attempt trained, as its first rank printed them. */
async function stepsOf(cluster: Cluster, job: string, attempt: number): Promise<readonly number[]> {
  const request = { job, attempt, rank: 0, follow: false, tailLines: 0 };
  let text = "";
  for await (const { data, stream } of cluster.readLogs(request, new AbortController().signal)) {
    if (stream === "stdout") text += data.toString("utf8");
  }
  return [...text.matchAll(/"step": (\d+)/g)].map(([, step]) => Number(step));
}

function reference(script: string, steps: number): readonly number[] {
  const lines = execFileSync(python, [script, `${steps}`], { encoding: "utf8" })
    .trim()
    .split("\n");
  return lines.map((line) => (JSON.parse(line) as { loss: number }).loss);
}
