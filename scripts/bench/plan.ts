// A planning pass over 10,000 pending jobs on 1,024 nodes of 8 GPUs, and how many gangs a second one
// core places. The core alone: no disk, no network.

import { createPrng } from "../../src/base/prng.ts";
import { queuePath } from "../../src/base/ids.ts";
import { EXITED_WELL, queueSpec, World } from "../../src/scheduler/core/fixture.ts";
import { quantile, report } from "./report.ts";

const NODES = 1_024;
const GPUS = 8;
const QUEUES = 50;
const PENDING = 10_000;
const PASSES = 200;

export function benchPlan(): void {
  const world = fullCluster();
  const pending = [...world.state.pendingByQueue.values()].reduce(
    (sum, jobs) => sum + jobs.size,
    0,
  );
  const times: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    endSome(world);
    const started = performance.now();
    world.plan();
    times.push(performance.now() - started);
  }
  report({
    bench: "planning pass, p99",
    value: quantile(times, 0.99),
    unit: "ms",
    limit: { atMost: 50 },
    details: {
      p50: quantile(times, 0.5),
      nodes: NODES,
      gpusPerNode: GPUS,
      pending,
      passes: PASSES,
    },
  });
  benchPlacements();
}

/** Gangs of 1 to 4 nodes and jobs of 1 to 8 GPUs, three priority classes, far more than fits. */
function fullCluster(): World {
  const queues = Array.from({ length: QUEUES }, (_, n) =>
    queueSpec(`team-${n}`, { guarantee: 100 }),
  );
  const world = new World(queues).nodes(NODES, GPUS);
  submitMany(world, 18_000);
  for (;;) {
    if (world.plan().starts.length === 0) break;
  }
  world.run();
  while (world.state.jobs.size - world.state.active.size < PENDING) submitMany(world, 500);
  world.plan();
  return world;
}

const prng = createPrng(1);

function submitMany(world: World, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const isGang = prng.chance(1, 10);
    world.submit({
      queue: queuePath(`team-${prng.below(QUEUES)}`),
      priorityClass: prng.pick(["low", "normal", "high"]),
      nodes: isGang ? 2 + prng.below(3) : 1,
      gpus: isGang ? GPUS : prng.pick([1, 1, 2, 4, 8]),
    });
    world.nowMs += 1;
  }
}

/** A few running jobs end between two passes, as on a busy cluster. */
function endSome(world: World): void {
  world.nowMs += 1_000;
  const running = [...world.state.active].filter((id) => world.phase(id) === "running");
  for (let n = 0; n < 4; n += 1) {
    const id = running[prng.below(running.length)];
    if (id === undefined || world.phase(id) !== "running") continue;
    const phase = world.job(id).phase;
    if (phase.kind !== "running") continue;
    for (const task of phase.attempt.placement) {
      world.report(task.nodeId, (seen) =>
        seen.jobId === id ? { ...seen, state: { kind: "ended", exit: EXITED_WELL } } : seen,
      );
    }
  }
}

/** 1,024 gangs of one whole node each, on an empty cluster, in one pass. */
function benchPlacements(): void {
  const world = new World([queueSpec("team")]).nodes(NODES, GPUS);
  for (let n = 0; n < NODES; n += 1) world.submit({ queue: queuePath("team"), gpus: GPUS });
  const started = performance.now();
  const placed = world.plan().starts.length;
  const seconds = (performance.now() - started) / 1000;
  report({
    bench: "gang placements a second, plan and proof and fold",
    value: placed / seconds,
    unit: "1/s",
    limit: { atLeast: 2_000 },
    details: { placed },
  });
}
