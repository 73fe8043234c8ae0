import { expect, test } from "vitest";
import { nodeId } from "../../base/ids.ts";
import { jobSpec, nodeSpec, World } from "./fixture.ts";
import type { TaskPlacement } from "./job.ts";
import { plan } from "./plan.ts";
import { verifyPlan } from "./verify.ts";

/** Faults of starting the job so, on nodes `a` to `d` of two racks; `d` is a spot node. */
function faults(job: Parameters<typeof jobSpec>[0], placement: readonly TaskPlacement[]): string {
  const world = new World();
  const node = (name: string, rack: string, type: string, spot = "false"): void => {
    const labels = { "trainyard.dev/topology-rack": rack, "trainyard.dev/spot": spot };
    const spec = nodeSpec(name, 4);
    const gpus = spec.gpus.map((gpu) => ({ ...gpu, type, island: gpu.index < 2 ? "x" : "y" }));
    world.register({ ...spec, gpus, labels });
  };
  node("a", "r1", "H100");
  node("b", "r2", "H100");
  node("c", "r1", "A100");
  node("d", "r1", "H100 MIG 1g.10gb", "true");
  const jobId = world.submit(job);
  const start = { jobId, placement, resumeFrom: null };
  const proposed = plan(world.state, world.nowMs, world.policy);
  return verifyPlan(world.state, { ...proposed, starts: [start] }, world.policy).join("; ");
}

const at = (name: string, ...gpus: readonly number[]): TaskPlacement => ({
  nodeId: nodeId(name),
  gpus,
});
const required = (level: "island" | "rack") => ({ level, mode: "required" as const });

type Case = readonly [string, Parameters<typeof jobSpec>[0], readonly TaskPlacement[], string];

test.each<Case>([
  ["two racks", { nodes: 2, topology: required("rack") }, [at("a", 0), at("b", 0)], "in one rack"],
  ["two islands", { gpus: 2, topology: required("island") }, [at("a", 1, 2)], "several islands"],
  ["two types", { nodes: 2 }, [at("a", 0), at("c", 0)], "GPUs of H100 and A100 together"],
  ["a type not asked for", { gpuTypes: ["H100", "H200"] }, [at("c", 0)], "asks for H100 or H200"],
  ["a slice unasked", {}, [at("d", 0)], "is given H100 MIG"],
  ["a spot node", { gpuTypes: ["MIG"], spot: "avoid" as const }, [at("d", 0)], "avoids spot"],
])("%s are a fault where the job rules it out", (_what, job, placement, fault) => {
  expect(faults(job, placement)).toContain(fault);
});

test("what the job allows is none", () => {
  const inRack = { nodes: 2, mixesGpuTypes: true, topology: required("rack") };
  expect(faults(inRack, [at("a", 0), at("c", 0)])).toBe("");
  expect(faults({ gpus: 2, topology: required("island") }, [at("a", 2, 3)])).toBe("");
  expect(faults({ gpuTypes: ["mig-1g.10gb"] }, [at("d", 0)])).toBe("");
});
