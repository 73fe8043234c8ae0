import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nodeId } from "../../base/ids.ts";
import { desiredTask, SPEC } from "./fixture.ts";
import {
  commandOf,
  environmentOf,
  inheritedEnv,
  type NodeFacts,
  type TaskPaths,
} from "./torchrun.ts";

const PATHS: TaskPaths = {
  root: "/t",
  work: "/t/work",
  checkpoints: "/t/checkpoints",
  resume: null,
  stopFile: "/t/stop.json",
  torchrun: "/t/torchrun",
};
const FACTS: NodeFacts = {
  node: "b",
  address: "10.0.0.2",
  interfaceName: "eth0",
  python: "/venv/bin/python",
  cpus: 16,
  inherited: { PATH: "/bin" },
  gpuUuids: new Map([
    [0, "GPU-aa"],
    [1, "GPU-bb"],
  ]),
  mlflowTrackingUri: "http://s:1",
};
const AT = { host: "10.0.0.1", port: 4242 };
const GANG = desiredTask({ rank: 1, attempt: 3, nodeNames: [nodeId("a"), nodeId("b")] });

test("torchrun gets a static rendezvous, underscore flags, and no retries of its own", () => {
  const argv = commandOf(GANG, AT, PATHS, FACTS).join(" ");
  expect(argv).toBe(
    "/venv/bin/python -m torch.distributed.run --nnodes 2 --nproc_per_node 2 --node_rank 1 " +
      "--rdzv_backend static --rdzv_id job-1-3 --rdzv_conf timeout=900 --master_addr 10.0.0.1 " +
      "--master_port 4242 --max_restarts 0 --monitor_interval 0.2 --log_dir /t/torchrun " +
      "--redirects 9:1 --tee 9:1 train.py",
  );
});

test("the job's own interpreter goes before the agent's", () => {
  const command = { ...SPEC.command, python: "/opt/py" };
  const task = desiredTask({ spec: { ...SPEC, command } as typeof SPEC });
  expect(commandOf(task, AT, PATHS, FACTS)[0]).toBe("/opt/py");
});

describe("the environment", () => {
  test("names just the task's GPUs, and none when they are virtual", () => {
    const env = environmentOf(desiredTask({ gpus: [1] }), AT, PATHS, FACTS);
    expect(env["CUDA_VISIBLE_DEVICES"]).toBe("GPU-bb");
    expect(env["CUDA_DEVICE_ORDER"]).toBe("PCI_BUS_ID");
    const virtual = environmentOf(GANG, AT, PATHS, { ...FACTS, gpuUuids: new Map() });
    expect(virtual["CUDA_VISIBLE_DEVICES"]).toBe("");
  });

  test("lets the job set its own variables, but not those of the contract or of its GPUs", () => {
    const env = { OMP_NUM_THREADS: "3", TRAINYARD_JOB_ID: "x", CUDA_VISIBLE_DEVICES: "7" };
    const result = environmentOf(desiredTask({ spec: { ...SPEC, env } }), AT, PATHS, FACTS);
    expect(result).toMatchObject({
      OMP_NUM_THREADS: "3",
      TRAINYARD_JOB_ID: "job-1",
      CUDA_VISIBLE_DEVICES: "GPU-aa,GPU-bb",
    });
  });

  test("places a bare torchrun by PET_ variables, and names the run for mlflow", () => {
    expect(environmentOf(GANG, AT, PATHS, FACTS)).toMatchObject({
      PET_NNODES: "2",
      PET_NODE_RANK: "1",
      PET_NPROC_PER_NODE: "2",
      MASTER_ADDR: "10.0.0.1",
      MASTER_PORT: "4242",
      GLOO_SOCKET_IFNAME: "eth0",
      OMP_NUM_THREADS: "8",
      MLFLOW_RUN_ID: "job-1",
      TRAINYARD_TASK: "/t",
      TRAINYARD_STOP_FILE: "/t/stop.json",
    });
  });

  test("gives a task every variable that the README names", () => {
    const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
    const table = readme.split("\n").filter((line) => line.startsWith("| `TRAINYARD_"));
    const promised = table.flatMap((line) => line.match(/TRAINYARD_[A-Z_]+/g) ?? []);
    const env = environmentOf(GANG, AT, { ...PATHS, resume: "/t/resume" }, FACTS);
    expect(promised.length).toBeGreaterThan(5);
    expect(promised.filter((name) => !Object.hasOwn(env, name))).toEqual([]);
  });

  test("has a resume folder only when something was restored", () => {
    expect(environmentOf(GANG, AT, PATHS, FACTS)).not.toHaveProperty("TRAINYARD_RESUME_DIR");
    const env = environmentOf(GANG, AT, { ...PATHS, resume: "/t/resume" }, FACTS);
    expect(env["TRAINYARD_RESUME_DIR"]).toBe("/t/resume");
  });

  test("does not carry the agent's credentials", () => {
    const env = { PATH: "/bin", AWS_SECRET_ACCESS_KEY: "s", HF_HOME: "/hf", TRAINYARD_TOKEN: "t" };
    expect(inheritedEnv(env)).toEqual({ PATH: "/bin", HF_HOME: "/hf" });
  });
});
