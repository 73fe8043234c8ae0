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
  readonly change?: Partial<Node>;
}

/** `a`, `b`, ... in the order given. */
function nodes(...sketches: readonly Sketch[]): readonly Node[] {
  return sketches.map(({ gpus, held = [], heldCpuMilli = 0, type = "H100", change = {} }, at) => {
    const spec = nodeSpec("abcdefgh".charAt(at), gpus);
    const resources = { gpus: held.length, cpuMilli: heldCpuMilli, memoryMib: 0 };
    return {
      spec: { ...spec, gpus: spec.gpus.map((gpu) => ({ ...gpu, type })) },
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
): string | null {
  const placement = fitGang(new NodePool(cluster), shapeOf(jobSpec(job)), { avoid, warm: [] });
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

test.each([
  ["", "anything", true],
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
