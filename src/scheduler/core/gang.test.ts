import { describe, expect, test } from "vitest";
import { agentInstanceId, jobId, type NodeId, nodeId } from "../../base/ids.ts";
import { NodePool } from "./fit.ts";
import { jobSpec, nodeSpec } from "./fixture.ts";
import { fitGang } from "./gang.ts";
import { gpuTypeMatches, shapeOf } from "./shape.ts";
import type { Node } from "./state.ts";

interface Sketch {
  readonly gpus: number;
  /** Indexes that are held. */
  readonly held?: readonly number[];
  readonly heldCpuMilli?: number;
  readonly type?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** GPUs in each NVLink island. */
  readonly islandSize?: number;
  readonly change?: Partial<Node>;
}

/** `a`, `b`, ... in the order given. */
function nodes(...sketches: readonly Sketch[]): readonly Node[] {
  return sketches.map((sketch, at) => {
    const { gpus, held = [], heldCpuMilli = 0, type = "H100", labels = {}, change = {} } = sketch;
    const spec = nodeSpec("abcdefgh".charAt(at), gpus);
    const resources = { gpus: held.length, cpuMilli: heldCpuMilli, memoryMib: 0 };
    const { islandSize } = sketch;
    const islandOf = (index: number): string =>
      islandSize === undefined ? "" : `i${Math.floor(index / islandSize)}`;
    const all = spec.gpus.map((gpu) => ({ ...gpu, type, island: islandOf(gpu.index) }));
    return {
      spec: { ...spec, gpus: all, labels },
      instance: agentInstanceId("1"),
      health: "up",
      schedulability: "open",
      note: "",
      goesAtMs: null,
      bundles: [],
      conditions: [],
      allocations: [{ jobId: jobId("job-1"), attempt: 1, rank: 0, gpus: held, resources }],
      registeredAtMs: 0,
      lostAtMs: null,
      ...change,
    };
  });
}

/** Placement as `a:0,1 b:0,1`; null when it does not fit. */
function fit(
  cluster: readonly Node[],
  job: Parameters<typeof jobSpec>[0],
  avoid: readonly NodeId[] = [],
  warm: readonly NodeId[] = [],
): string | null {
  const placement = fitGang(new NodePool(cluster), shapeOf(jobSpec(job)), { avoid, warm });
  return placement?.map((task) => `${task.nodeId}:${task.gpus.join()}`).join(" ") ?? null;
}

describe("a gang", () => {
  test("goes where it leaves the fewest GPUs idle, lower ids first", () => {
    const cluster = nodes({ gpus: 8 }, { gpus: 8, held: [0, 1, 2, 3] }, { gpus: 8, held: [7] });
    expect(fit(cluster, { gpus: 4 })).toBe("b:4,5,6,7");
    expect(fit(cluster, { gpus: 5 })).toBe("c:0,1,2,3,4");
    expect(fit(cluster, { gpus: 8 })).toBe("a:0,1,2,3,4,5,6,7");
  });

  test("is placed whole, on distinct nodes, with ranks in the order of their ids", () => {
    const cluster = nodes({ gpus: 4 }, { gpus: 4, held: [0, 1] }, { gpus: 4 });
    expect(fit(cluster, { nodes: 3, gpus: 2 })).toBe("a:0,1 b:2,3 c:0,1");
    expect(fit(cluster, { nodes: 3, gpus: 3 })).toBeNull();
    expect(fit(cluster, { nodes: 4, gpus: 1 })).toBeNull();
  });

  test("never goes to a node that is cordoned, draining or lost", () => {
    const cluster = nodes(
      { gpus: 2, change: { schedulability: "cordoned" } },
      { gpus: 2, change: { schedulability: "draining" } },
      { gpus: 2, change: { health: "lost" } },
      { gpus: 2 },
    );
    expect(fit(cluster, { gpus: 1 })).toBe("d:0");
    expect(fit(cluster, { nodes: 2, gpus: 1 })).toBeNull();
  });

  test("gets GPUs of the type it asks for, and of one type where that is possible", () => {
    const cluster = nodes(
      { gpus: 4, type: "NVIDIA A100-SXM4-40GB" },
      { gpus: 4, held: [0, 1], type: "NVIDIA H100 80GB HBM3" },
      { gpus: 4, held: [0], type: "NVIDIA A100-SXM4-40GB" },
    );
    expect(fit(cluster, { gpus: 2, gpuTypes: ["A100"] })).toBe("c:1,2");
    expect(fit(cluster, { gpus: 2 })).toBe("b:2,3");
    expect(fit(cluster, { nodes: 2, gpus: 2 })).toBe("a:0,1 c:1,2");
    expect(fit(cluster, { nodes: 3, gpus: 2 })).toBeNull();
    expect(fit(cluster, { nodes: 3, gpus: 2, mixesGpuTypes: true })).toBe("a:0,1 b:2,3 c:1,2");
  });

  test("uses nodes that failed it before only when nothing else is left", () => {
    const cluster = nodes({ gpus: 1 }, { gpus: 8 });
    expect(fit(cluster, { gpus: 1 }, [nodeId("a")])).toBe("b:0");
    expect(fit(cluster, { nodes: 2, gpus: 1 }, [nodeId("a")])).toBe("a:0 b:0");
  });

  test("needs its CPUs beside its GPUs, where the job and the node state them", () => {
    const cluster = nodes({ gpus: 4, heldCpuMilli: 60_000 }, { gpus: 8 });
    const asks = (cpuMilli: number): string | null =>
      fit(cluster, { perNode: { gpus: 1, cpuMilli, memoryMib: 0 } });
    expect(asks(0)).toBe("a:0");
    expect(asks(4_001)).toBe("b:0");
    expect(asks(64_001)).toBeNull();
  });

  test("without GPUs goes where the fewest GPUs are free", () => {
    const cluster = nodes({ gpus: 2 }, { gpus: 2, held: [0, 1] });
    expect(fit(cluster, { gpus: 0 })).toBe("b:");
  });
});

const rack = (name: string) => ({ "trainyard.dev/topology-rack": name });
const required = (level: "island" | "rack" | "block") => ({ level, mode: "required" as const });
const preferred = (level: "island" | "rack" | "block") => ({ level, mode: "preferred" as const });

describe("types in the order of preference", () => {
  const cluster = nodes({ gpus: 4, type: "A100" }, { gpus: 4, type: "H100", held: [0, 1, 2] });

  test("the first type on which the whole gang fits wins", () => {
    expect(fit(cluster, { gpus: 1, gpuTypes: ["H100", "A100"] })).toBe("b:3");
    expect(fit(cluster, { gpus: 2, gpuTypes: ["H100", "A100"] })).toBe("a:0,1");
    expect(fit(cluster, { gpus: 2, gpuTypes: ["H100"] })).toBeNull();
  });

  test("a failed node is avoided even at the price of the second type", () => {
    expect(fit(cluster, { gpus: 1, gpuTypes: ["H100", "A100"] }, [nodeId("b")])).toBe("a:0");
  });
});

describe("topology", () => {
  test("required: the gang stays in one rack, that which it leaves fullest", () => {
    const cluster = nodes(
      { gpus: 2, labels: rack("r1") },
      { gpus: 2, labels: rack("r1") },
      { gpus: 2, labels: rack("r1") },
      { gpus: 2, labels: rack("r2") },
      { gpus: 2, labels: rack("r2") },
      { gpus: 2 },
    );
    const job = { nodes: 2, gpus: 2, topology: required("rack") };
    expect(fit(cluster, job)).toBe("d:0,1 e:0,1");
    expect(fit(cluster, { ...job, nodes: 3 })).toBe("a:0,1 b:0,1 c:0,1");
    expect(fit(cluster, { ...job, nodes: 4 })).toBeNull();
    expect(fit(cluster, { ...job, nodes: 4, topology: preferred("rack") })).not.toBeNull();
  });

  test("racks of one name in two blocks are two racks", () => {
    const inBlock = (name: string) => ({ ...rack("r1"), "trainyard.dev/topology-block": name });
    const cluster = nodes({ gpus: 1, labels: inBlock("b1") }, { gpus: 1, labels: inBlock("b2") });
    expect(fit(cluster, { nodes: 2, topology: required("rack") })).toBeNull();
  });

  test("preferred: the rack, else the block, else anywhere", () => {
    const at = (r: string, b: string) => ({ ...rack(r), "trainyard.dev/topology-block": b });
    const cluster = nodes(
      { gpus: 1, labels: at("r1", "b1") },
      { gpus: 1, labels: at("r2", "b2") },
      { gpus: 1, labels: at("r3", "b2") },
      { gpus: 1, labels: at("r3", "b2") },
    );
    const job = { topology: preferred("rack") };
    expect(fit(cluster, { ...job, nodes: 2 })).toBe("c:0 d:0");
    expect(fit(cluster, { ...job, nodes: 3 })).toBe("b:0 c:0 d:0");
    expect(fit(cluster, { ...job, nodes: 4 })).toBe("a:0 b:0 c:0 d:0");
  });

  test("without a wish, among equally good nodes those of the fullest rack", () => {
    const cluster = nodes(
      { gpus: 2, labels: rack("r1") },
      { gpus: 2, labels: rack("r1") },
      { gpus: 2, labels: rack("r2") },
    );
    expect(fit(cluster, { gpus: 2 })).toBe("c:0,1");
  });

  test("a failed node is used inside the only rack that fits, as a last resort", () => {
    const cluster = nodes(
      { gpus: 1, labels: rack("r1") },
      { gpus: 1, labels: rack("r1") },
      { gpus: 1, labels: rack("r2") },
      { gpus: 1, labels: rack("r2") },
    );
    const job = { nodes: 2, topology: required("rack") };
    expect(fit(cluster, job, [nodeId("a")])).toBe("c:0 d:0");
    expect(fit(cluster, job, [nodeId("a"), nodeId("c")])).toBe("a:0 b:0");
  });

  test("the GPUs of a task come from one NVLink island, the one that they leave fullest", () => {
    const cluster = nodes({ gpus: 8, islandSize: 4, held: [0, 4, 5] });
    expect(fit(cluster, { gpus: 2 })).toBe("a:6,7");
    expect(fit(cluster, { gpus: 3, topology: required("island") })).toBe("a:1,2,3");
    expect(fit(cluster, { gpus: 4, topology: required("island") })).toBeNull();
    expect(fit(cluster, { gpus: 4, topology: preferred("island") })).toBe("a:1,2,3,6");
    expect(fit(nodes({ gpus: 8 }), { gpus: 2, topology: required("island") })).toBeNull();
  });
});

test("warm nodes come first among equally full ones, never before fuller ones", () => {
  const cluster = nodes({ gpus: 4 }, { gpus: 4 }, { gpus: 4, held: [0] });
  const warm = [nodeId("b")];
  expect(fit(cluster, { gpus: 4 }, [], warm)).toBe("b:0,1,2,3");
  expect(fit(cluster, { gpus: 2 }, [], warm)).toBe("c:1,2");
});

test("spot nodes: never, as any other, or first", () => {
  const cluster = nodes(
    { gpus: 2, held: [0] },
    { gpus: 2, labels: { "trainyard.dev/spot": "true" } },
  );
  expect(fit(cluster, { gpus: 1, spot: "prefer" })).toBe("b:0");
  expect(fit(cluster, { gpus: 2 })).toBe("b:0,1");
  expect(fit(cluster, { gpus: 2, spot: "avoid" })).toBeNull();
  expect(fit(cluster, { nodes: 2, gpus: 1, spot: "prefer" })).toBe("a:1 b:0");
});

test.each([
  ["", "anything", true],
  ["", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", false],
  ["H100", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", false],
  ["mig-1g.10gb", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", true],
  ["H100 MIG", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", true],
  ["MIG", "NVIDIA H100 80GB HBM3", false],
  ["H100", "NVIDIA H100 80GB HBM3", true],
  ["h100 80gb", "NVIDIA H100 80GB HBM3", true],
  ["A100", "NVIDIA A100-SXM4-40GB", true],
  ["A10", "NVIDIA A100-SXM4-40GB", false],
  ["H200", "NVIDIA H100 80GB HBM3", false],
])("asking for %j of %j matches: %j", (asked, type, matches) => {
  expect(gpuTypeMatches(asked, type)).toBe(matches);
});

describe("a pool", () => {
  test("has again what it is given back, and copies do not share what is taken", () => {
    const pool = new NodePool(nodes({ gpus: 4 }));
    const copy = new NodePool(pool);
    const task = { nodeId: nodeId("a"), gpus: [1, 2] };
    const resources = { gpus: 2, cpuMilli: 1_000, memoryMib: 0 };
    expect(pool.take(task, resources)).toEqual([1, 2]);
    expect(pool.take(task, resources)).toEqual([]);
    expect(copy.slotAt(0).freeGpus).toBe(4);
    pool.give(task, resources);
    expect(pool.bankAt(0, "H100").free).toEqual([0, 1, 2, 3]);
    expect(() => pool.give(task, resources)).toThrow("given back twice");
  });
});
