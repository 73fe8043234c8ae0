// Real torchrun under real agents: a gang over two nodes, the stop protocol with helper processes, a
// script that ignores it, a port that is taken.

import { createServer } from "node:net";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findMarked } from "../../src/agent/proc.ts";
import { workersBelow } from "../../src/agent/workers.ts";
import type { ObservedTask__Output } from "../../src/rpc/gen/trainyard/v1/ObservedTask.ts";
import { pythonWithTorch, readText, scratchFolder, waitFor } from "./agent-fixture.ts";
import { AgentWorld, type RunningAgent, wireTask } from "./agent-world.ts";

const isEnded = (task: ObservedTask__Output) => task.state === "ended";
const python = pythonWithTorch();

/** Sums a tensor over all ranks, prints it as a metric. Leaves as the examples do, and for that. */
const DDP = `
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
t = torch.ones(1) * (dist.get_rank() + 1)
dist.all_reduce(t)
if dist.get_rank() == 0:
    print('{"step": 1, "sum": %d, "world": %d}' % (t.item(), dist.get_world_size()), flush=True)
dist.barrier()
dist.destroy_process_group()
os._exit(0)
`;

/** Trains until it is told to stop, with data loader workers; saves when told. */
const COOPERATIVE = `
import os, signal, sys, time, torch
from torch.utils.data import DataLoader
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
loader = DataLoader(torch.arange(10**6).float(), batch_size=1, num_workers=2)
rank = os.environ["RANK"]
for step, batch in enumerate(loader):
    if step == 3: open("up-" + rank, "w").close()
    time.sleep(0.02)
    if stopped:
        assert os.path.exists(os.environ["TRAINYARD_STOP_FILE"])
        time.sleep(0.5)
        torch.save({"step": step}, os.environ["TRAINYARD_CHECKPOINT_DIR"] + "/last-" + rank + ".pt")
        print("saved", rank)
        sys.exit(0)
`;

const STUBBORN = `
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("up-" + os.environ["RANK"], "w").close()
time.sleep(600)
`;

/** Each rank is done when there is a file of its name beside the script. */
const UNEVEN = `
import os, pathlib, sys, time
done = pathlib.Path(sys.argv[0]).with_name("done-" + os.environ["RANK"])
while not done.exists(): time.sleep(0.05)
`;

let world: AgentWorld;
let code: string;
beforeEach(async () => {
  world = new AgentWorld();
  await world.scheduler.start();
  code = scratchFolder("code");
});
afterEach(() => world.end());

function script(name: string, text: string): string {
  mkdirSync(code, { recursive: true });
  const path = join(code, name);
  writeFileSync(path, text);
  return path;
}

test("a gang of two nodes finds itself by the port that rank 0 chose", async () => {
  const [a, b] = await Promise.all([world.start("a", python), world.start("b", python)]);
  const nodeNames = ["a", "b"];
  const command = { script: script("ddp.py", DDP), procs: 2 };
  const rank0 = wireTask(command, { nodeNames, rank: 0 });
  const rank1 = wireTask(command, { nodeNames, rank: 1 });
  world.scheduler.want("a", rank0);
  world.scheduler.want("b", rank1);
  const { rendezvous } = await world.scheduler.reported("a", "where it is", (t) => {
    return t.rendezvous !== null;
  });
  expect(rendezvous).toMatchObject({ host: "127.0.0.1" });
  world.scheduler.want("b", { ...rank1, rendezvous });
  const ends = await Promise.all([
    world.scheduler.reported("a", "the end", isEnded),
    world.scheduler.reported("b", "the end", isEnded),
  ]);
  expect(ends.map((task) => task.exit?.code)).toEqual([0, 0]);
  expect(world.output(a, rank0)).toBe('{"step": 1, "sum": 10, "world": 4}\n');
  expect(world.output(b, rank1)).toBe("");
  await waitFor("the metrics", () => world.scheduler.batches.length > 0);
  expect(world.scheduler.batches.flatMap((batch) => batch.points)).toMatchObject([
    { metric: "sum", step: 1, value: 10 },
    { metric: "world", step: 1, value: 4 },
  ]);
});

test("every worker's main process is asked to save, its helpers are not", async () => {
  const a = await world.start("a", python);
  const task = wireTask({ script: script("save.py", COOPERATIVE), procs: 2 });
  world.scheduler.want("a", task);
  const folder = world.folder(a, task);
  await isUp(folder.work, 2);
  const stop = { reason: "preempted", remainingMs: 60_000, wantsCheckpoint: true };
  world.scheduler.want("a", { ...task, stop });
  const { exit } = await world.scheduler.reported("a", "the end", isEnded);
  expect(exit).toEqual({ reason: "stopped", code: 0, message: "" });
  expect(world.output(a, task).trim().split("\n").sort()).toEqual(["saved 0", "saved 1"]);
  expect(a.flushes).toEqual(["job-1"]);
  expect(findMarked("TRAINYARD_TASK", folder.root)).toEqual([]);
});

test("workers that ignore it are gone soon after the deadline, torchrun's own sessions too", async () => {
  const a = await world.start("a", python);
  const task = wireTask({ script: script("stubborn.py", STUBBORN), procs: 2 });
  world.scheduler.want("a", task);
  const folder = world.folder(a, task);
  await isUp(folder.work, 2);
  const askedMs = performance.now();
  const stop = { reason: "cancelled", remainingMs: 1_000, wantsCheckpoint: false };
  world.scheduler.want("a", { ...task, stop });
  const { exit } = await world.scheduler.reported("a", "the end", isEnded);
  expect(exit?.reason).toBe("killed");
  expect(performance.now() - askedMs).toBeLessThan(15_000);
  expect(findMarked("TRAINYARD_TASK", folder.root)).toEqual([]);
});

describe("a torchrun whose own workers are done waits for its peers'", () => {
  /** A gang of two of which rank 0 is done: its torchrun waits for that of rank 1. */
  async function isHalfDone() {
    const [a, b] = await Promise.all([world.start("a", python), world.start("b", python)]);
    const nodeNames = ["a", "b"];
    const command = { script: script("uneven.py", UNEVEN), procs: 1 };
    const told = wireTask(command, { nodeNames });
    const spec = { ...told.spec, env: { ...told.spec?.env, LOGLEVEL: "INFO" } };
    const rank0 = { ...told, spec, rank: 0 };
    const rank1 = { ...told, spec, rank: 1 };
    world.scheduler.want("a", rank0);
    world.scheduler.want("b", rank1);
    const { rendezvous } = await world.scheduler.reported("a", "where it is", (task) => {
      return task.rendezvous !== null;
    });
    world.scheduler.want("b", { ...rank1, rendezvous });
    await waitFor("the worker of rank 1", () => workersOf(b, rank1) === 1);
    await waitFor("the worker of rank 0", () => workersOf(a, rank0) === 1);
    const folder = world.folder(a, rank0);
    await isNoticed(folder.supervisorState()?.supervisor.pid ?? 0);
    writeFileSync(join(code, "done-0"), "");
    await waitFor("its torchrun to wait for the other", () => {
      return readText(folder.file("stderr")).includes("for other agents to finish");
    });
    return { a, b, rank0, rank1 };
  }

  const workersOf = (agent: RunningAgent, task: Parameters<AgentWorld["folder"]>[1]): number => {
    const state = world.folder(agent, task).supervisorState();
    return state === null ? 0 : workersBelow(state.process.pid).length;
  };

  /** A supervisor sleeps between its looks at the task: some of them have come and gone. */
  async function isNoticed(supervisor: number): Promise<void> {
    const sleeps = (): number => {
      const status = readText(`/proc/${supervisor}/status`);
      return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]);
    };
    const before = sleeps();
    await waitFor("looks of the supervisor", () => sleeps() > before + 5);
  }

  test("not for one that failed: it is gone long before the deadline", async () => {
    const { rank0 } = await isHalfDone();
    const stop = { reason: "gang_failed", remainingMs: 600_000, wantsCheckpoint: false };
    world.scheduler.want("a", { ...rank0, stop });
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit?.reason).toBe("stopped");
  });

  test("until they have saved or finished, and then it has ended well", async () => {
    const { a, b, rank0, rank1 } = await isHalfDone();
    const stop = { reason: "preempted", remainingMs: 600_000, wantsCheckpoint: true };
    world.scheduler.want("a", { ...rank0, stop });
    world.scheduler.want("b", { ...rank1, stop });
    for (const folder of [world.folder(a, rank0), world.folder(b, rank1)])
      await waitFor("the stop file", () => existsSync(folder.file("stop")));
    writeFileSync(join(code, "done-1"), "");
    const ends = await Promise.all(
      ["a", "b"].map((name) => world.scheduler.reported(name, "the end", isEnded)),
    );
    expect(ends.map(({ exit }) => exit)).toEqual(
      Array.from(ends, () => ({ reason: "stopped", code: 0, message: "" })),
    );
  });
});

test("a rendezvous port that somebody took is no failure of the job", async () => {
  await world.start("a", python);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const rendezvous = { host: "127.0.0.1", port };
    world.scheduler.want(
      "a",
      wireTask({ script: script("ddp.py", DDP), procs: 1 }, { rendezvous }),
    );
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit?.reason).toBe("lost");
    expect(exit?.message).toContain(String(port));
  } finally {
    taken.close();
  }
});

async function isUp(work: string, workers: number): Promise<void> {
  await waitFor(`${workers} workers`, () => {
    return Array.from({ length: workers }, (_, rank) => join(work, `up-${rank}`)).every((path) =>
      existsSync(path),
    );
  });
}
