import { expect, test } from "vitest";
import { createPrng } from "../../base/prng.ts";
import { NEVER_MS } from "../../base/time.ts";
import { jobSpec, nodeSpec, World } from "./fixture.ts";
import { NodePool } from "./fit.ts";
import { type Seat, Supply, SupplyLayout } from "./forecast-supply.ts";
import { fitGang } from "./gang.ts";
import type { JobSpec, TaskPlacement } from "./job.ts";
import { shapeOf } from "./shape.ts";

/** Two types of GPU, two racks, a spot node, and CPUs that are scarce on some. */
function pool(): NodePool {
  const world = new World();
  for (let n = 0; n < 12; n += 1) {
    const spec = nodeSpec(`node-${n}`, 8);
    const type = n % 3 === 0 ? "A100" : "H100";
    world.register({
      ...spec,
      gpus: spec.gpus.map((gpu) => ({ ...gpu, type })),
      cpuMilli: n % 4 === 0 ? 16_000 : 128_000,
      labels: { rack: n < 6 ? "r1" : "r2", ...(n === 7 ? { "trainyard.dev/spot": "true" } : {}) },
    });
  }
  return new NodePool([...world.state.nodes.values()]);
}

test("a gang has room exactly where the planner finds some", () => {
  const prng = createPrng(7);
  const planners = pool();
  const layout = new SupplyLayout(pool());
  const supply = new Supply(layout);
  const running: { readonly spec: JobSpec; readonly placement: readonly TaskPlacement[] }[] = [];
  const seatsOf = (placement: readonly TaskPlacement[]): readonly Seat[] =>
    placement.flatMap((task) => layout.seatOf(task) ?? []);
  let fitted = 0;
  let refused = 0;
  for (let turn = 0; turn < 600; turn += 1) {
    const gpus = prng.pick([0, 1, 2, 4, 8]);
    const spec = jobSpec({
      nodes: prng.pick([1, 1, 2, 3, 5]),
      perNode: { gpus, cpuMilli: prng.pick([0, 1_000, 8_000]), memoryMib: 0 },
      gpuTypes: prng.pick([[], ["A100"], ["H100"], ["H100", "A100"]]),
      mixesGpuTypes: prng.chance(1, 3),
      topology: prng.chance(1, 3) ? { level: "rack", mode: "required" } : null,
      spot: prng.pick(["allow", "avoid"]),
    });
    const shape = shapeOf(spec);
    const placement = fitGang(planners, shape);
    const found = new Supply(supply).take(layout.needOf(shape));
    expect({ turn, spec, fits: found !== null }).toEqual({ turn, spec, fits: placement !== null });
    if (placement !== null) {
      fitted += 1;
      for (const task of placement) planners.take(task, spec.perNode);
      supply.change(seatsOf(placement), spec, -1);
      running.push({ spec, placement });
    } else {
      refused += 1;
      const [ended] = running.splice(prng.below(Math.max(1, running.length)), 1);
      if (ended === undefined) continue;
      for (const task of ended.placement) planners.give(task, ended.spec.perNode);
      supply.change(seatsOf(ended.placement), ended.spec, 1);
    }
  }
  expect(Math.min(fitted, refused)).toBeGreaterThan(50);
});

test("a gang keeps the nodes that are whole soonest; nobody else finds room there until then", () => {
  const world = new World().nodes(3, 8);
  const layout = new SupplyLayout(new NodePool([...world.state.nodes.values()]));
  const supply = new Supply(layout);
  const need = layout.needOf(shapeOf(jobSpec({ nodes: 2, gpus: 8 })));
  const one = layout.needOf(shapeOf(jobSpec({ gpus: 1 })));
  for (const node of [0, 1, 2]) supply.change([{ node, type: 0 }], one.shape, -1);
  const whole = [Float64Array.of(300, 100, 200)];
  const seats = supply.keep(need, 0, whole) ?? [];
  expect(seats.map(({ node }) => node)).toEqual([1, 2]);
  expect(supply.take(one)).toEqual([{ node: 0, type: 0 }]);
  expect(supply.isReady(seats, need.shape)).toBe(false);
  for (const node of [1, 2]) supply.change([{ node, type: 0 }], one.shape, 1);
  expect(supply.isReady(seats, need.shape)).toBe(true);
  supply.unkeep(seats);
  expect(supply.take(need)?.map(({ node }) => node)).toEqual([1, 2]);
  const never = [Float64Array.of(NEVER_MS, NEVER_MS, NEVER_MS)];
  expect(supply.keep(need, 0, never), "nobody knows when").toBeNull();
});
