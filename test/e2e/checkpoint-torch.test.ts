// Checkpoints as real PyTorch writes them, from the file system to the store and back into torch.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QUIET_PERIODS } from "../../src/checkpoint/core/completeness.ts";
import { endOfFile } from "../../src/checkpoint/scan.ts";
import { PYTHON, whyNoTorch } from "./checkpoint-python.ts";
import { listing, until, World } from "./checkpoint-world.ts";

const run = promisify(execFile);
const why = await whyNoTorch();

/** Two processes, each as if on its own node: both write below their own folder. */
const DCP_SAVE = `
import os, sys, torch, torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
rank = int(sys.argv[1])
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=sys.argv[2], RANK=str(rank), WORLD_SIZE="2")
dist.init_process_group("gloo")
torch.manual_seed(1)
model = torch.nn.Sequential(*[torch.nn.Linear(256, 256) for _ in range(4)])
fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
for step in (10, 20):
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(step)
    dcp.save(model.state_dict(), checkpoint_id=f"{sys.argv[3]}/step-{step}")
    dist.barrier()
dist.destroy_process_group()
os._exit(0)
`;

/** Loads a DCP checkpoint in one process and prints a sum that depends on every weight. */
const DCP_LOAD = `
import sys, torch
import torch.distributed.checkpoint as dcp
torch.manual_seed(1)
model = torch.nn.Sequential(*[torch.nn.Linear(256, 256) for _ in range(4)])
expected = {name: (value + 10) + 20 for name, value in model.state_dict().items()}
state = model.state_dict()
dcp.load(state, checkpoint_id=sys.argv[1], no_dist=True)
print(all(torch.equal(state[name], expected[name]) for name in expected))
`;

/** Writes a large file slowly, as torch.save onto a slow disk, and stays alive. */
const SLOW_SAVE = `
import sys, time, torch
path = sys.argv[1]
class Slow:
    def __init__(self, file): self.file = file
    def write(self, data):
        time.sleep(0.02)
        return self.file.write(data)
    def flush(self): self.file.flush()
with open(path, "wb") as file:
    torch.save({str(i): torch.full((20000,), float(i)) for i in range(60)}, Slow(file))
print("saved", flush=True)
sys.stdin.read()
`;

const SAVE = "import sys, torch; torch.save({'w': torch.arange(100000.0)}, sys.argv[1])";

describe.skipIf(why !== null)(`real PyTorch${why === null ? "" : `: skipped, ${why}`}`, () => {
  let world: World;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    world = await World.open();
    await mkdir(world.dir(0), { recursive: true });
    await mkdir(world.dir(1), { recursive: true });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await world.close();
  });

  const python = (args: readonly string[]): ChildProcess => {
    const child = spawn(PYTHON, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    return child;
  };

  test("a torch.save file is stored and loads after the restore", async () => {
    world.watch({ quiet: QUIET_PERIODS });
    await run(PYTHON, ["-c", SAVE, join(world.dir(), "ckpt_30.pt")]);
    await world.stored(30);
    const { destDir } = await world.restore(await world.commit(30));
    const load =
      "import sys, torch; print(torch.equal(torch.load(sys.argv[1])['w'], torch.arange(100000.0)))";
    const { stdout } = await run(PYTHON, ["-c", load, join(destDir, "ckpt_30.pt")]);
    expect(stdout.trim()).toBe("True");
  });

  test("a DCP checkpoint of two nodes becomes one, and loads on another number of processes", async () => {
    const watches = [0, 1].map((rank) => world.watch({ rank, quiet: QUIET_PERIODS }));
    const port = String(20_000 + (process.pid % 20_000));
    const ranks = [0, 1].map((rank) =>
      python(["-c", DCP_SAVE, String(rank), port, world.dir(rank)]),
    );
    const codes = await Promise.all(ranks.map(async (child) => (await once(child, "exit"))[0]));
    expect(codes).toEqual([0, 0]);
    await Promise.all(watches.map((watch) => watch.flush(60_000)));
    expect(Object.keys(await listing(world.dir(0)))).toContain("step-20/.metadata");
    expect(Object.keys(await listing(world.dir(1)))).not.toContain("step-20/.metadata");
    const { destDir, files } = await world.restore(await world.commit(20));
    expect(files).toBe(3);
    const { stdout } = await run(PYTHON, ["-c", DCP_LOAD, join(destDir, "step-20")]);
    expect(stdout.trim()).toBe("True");
  });

  test("a DCP checkpoint of which one node's part is missing is never committed", async () => {
    const port = String(20_000 + ((process.pid + 1) % 20_000));
    const ranks = [0, 1].map((rank) =>
      python(["-c", DCP_SAVE, String(rank), port, world.dir(rank)]),
    );
    await Promise.all(ranks.map(async (child) => await once(child, "exit")));
    await world.watch({ rank: 0 }).flush(60_000);
    await expect(world.commit(20)).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining("__1_0.distcp"),
    });
  });

  test("a file that is still being written is not taken; killed in the middle, it never is", async () => {
    const path = join(world.dir(), "step-5.pt");
    const child = python(["-c", SLOW_SAVE, path]);
    const watch = world.watch({ pids: () => (child.pid === undefined ? [] : [child.pid]) });
    await until(async () => ((await listing(world.dir()))["step-5.pt"] ?? 0) > 500_000, "a half");
    child.kill("SIGKILL");
    await once(child, "exit");
    await watch.flush(10_000);
    expect(world.steps()).toEqual([]);
  });

  test("a slow save is taken only when it is through", async () => {
    const path = join(world.dir(), "step-5.pt");
    const child = python(["-c", SLOW_SAVE, path]);
    let hasSaved = false;
    child.stdout?.on("data", () => {
      hasSaved = true;
    });
    world.watch({ pids: () => (child.pid === undefined ? [] : [child.pid]) });
    await until(() => hasSaved || world.steps().length > 0, "the end of the save");
    expect(hasSaved).toBe(true);
    const part = await world.stored(5);
    expect(part.sizeBytes).toBe((await listing(world.dir()))["step-5.pt"]);
  });

  test("every cut of a real file is seen as torn", async () => {
    const path = join(world.dir(), "whole.pt");
    await run(PYTHON, ["-c", SAVE, path]);
    const bytes = await readFile(path);
    expect(await endOfFile(path)).toBe("whole");
    for (const cut of [1, 21, 22, 23, 76, 98, 500, 4096, 100_000, bytes.length - 4]) {
      await writeFile(path, bytes.subarray(0, bytes.length - cut));
      expect(await endOfFile(path)).toBe("torn");
    }
  });
});
