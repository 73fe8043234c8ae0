import { expect, test } from "vitest";
import { step } from "./cycle.ts";
import { ALICE, jobSpec, nodeSpec, World } from "./fixture.ts";
import type { JobSpec } from "./job.ts";
import { decodeState, encodeState } from "./snapshot.ts";
import { NO_COUNTS, type Queue } from "./state.ts";
import { upgradeNodeSpec, upgradeSpec } from "./upgrade.ts";

/** As the first release wrote it. */
function older(gpuType: string): JobSpec {
  const {
    gpuTypes: _types,
    mixesGpuTypes: _mixes,
    topology: _topology,
    spot: _spot,
    nodesMin: _nodesMin,
    ...spec
  } = jobSpec();
  return { ...spec, gpuType } as unknown as JobSpec;
}

test("a job of the first release keeps its type, and may mix types as it could then", () => {
  const kept = { mixesGpuTypes: true, topology: null, spot: "allow", nodesMin: 1 };
  expect(upgradeSpec(older("H100"))).toMatchObject({ ...kept, gpuTypes: ["H100"] });
  expect(upgradeSpec(older(""))).toMatchObject({ ...kept, gpuTypes: [] });
  expect(upgradeSpec(older("H100"))).not.toHaveProperty("gpuType");
});

test("a job of this release stays as it is", () => {
  const spec = jobSpec({ gpuTypes: ["A"], spot: "avoid" });
  expect(upgradeSpec(spec)).toBe(spec);
});

test("a snapshot without the counters of queues is read, and each counts from then on", () => {
  const world = new World().nodes(1, 2);
  world.submit();
  world.plan();
  const rows = [...encodeState(world.state)].map(({ key, value }) => {
    if (!key.startsWith("queue:")) return { key, value };
    const { counts: _counts, ...queue } = value as Queue;
    return { key, value: queue };
  });
  const restored = decodeState(rows);
  const command = { kind: "job.submit", spec: jobSpec() } as const;
  step(restored, { command, actor: ALICE, request: null }, world.nowMs);
  const [queue] = restored.queues.values();
  expect(queue?.counts).toEqual({ ...NO_COUNTS, submitted: 1 });
  expect(restored.totals.submitted).toBe(2);
});

test("an older event folds: the job is planned like any other", () => {
  const world = new World();
  const { island: _island, ...gpu } = nodeSpec("n", 1).gpus[0] ?? { island: "" };
  world.register(upgradeNodeSpec({ ...nodeSpec("n", 1), gpus: [gpu as never] }));
  world.must({ kind: "job.submit", spec: older("") });
  expect(world.plan().starts).toHaveLength(1);
});
