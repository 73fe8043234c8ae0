// What fair shares promise, on random trees, clusters and demands (DRF, Ghodsi et al., NSDI'11).

import fc from "fast-check";
import { expect, test } from "vitest";
import { must } from "../../src/base/assert.ts";
import { compareText, type QueuePath, queuePath } from "../../src/base/ids.ts";
import { RESOURCE_KINDS } from "../../src/base/resources.ts";
import { type FairShare, fairShares } from "../../src/scheduler/core/fair-share.ts";
import { queueSpec, World } from "../../src/scheduler/core/fixture.ts";
import type { QueueSpec } from "../../src/scheduler/core/state.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 300);

interface Leaf {
  readonly top: number;
  readonly weight: number;
  readonly guarantee: number;
  readonly jobs: number;
  readonly gpus: number;
  readonly cpuMilli: number;
}

interface Setting {
  readonly nodes: number;
  readonly leaves: readonly Leaf[];
}

const setting: fc.Arbitrary<Setting> = fc.record({
  nodes: fc.integer({ min: 1, max: 4 }),
  leaves: fc.array(
    fc.record({
      top: fc.nat(2),
      weight: fc.integer({ min: 1, max: 5 }),
      guarantee: fc.nat(3),
      jobs: fc.nat(12),
      gpus: fc.integer({ min: 0, max: 4 }),
      cpuMilli: fc.constantFrom(0, 0, 1_000, 7_000, 40_000),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

const nameOf = (prefix: string, { top }: Leaf, at: number): QueuePath =>
  queuePath(`${prefix}${top}/${prefix}${at}`);

function treeOf(leaves: readonly Leaf[], prefix: string): readonly QueueSpec[] {
  const tops = [...new Set(leaves.map(({ top }) => top))];
  const topSpecs = tops.map((top) => {
    const below = leaves.filter((leaf) => leaf.top === top);
    const guarantee = below.reduce((sum, leaf) => sum + leaf.guarantee, 0);
    return queueSpec(`${prefix}${top}`, { guarantee, weight: 1 + top });
  });
  const leafSpecs = leaves.map((leaf, at) => {
    const { weight, guarantee } = leaf;
    return queueSpec(nameOf(prefix, leaf, at), { weight, guarantee });
  });
  return [...topSpecs, ...leafSpecs];
}

/** `scale`: nodes and jobs so many times over. */
function sharesOf({ nodes, leaves }: Setting, prefix = "q", scale = 1) {
  const world = new World(treeOf(leaves, prefix)).nodes(nodes * scale, 8);
  leaves.forEach((leaf, at) => {
    const perNode = { gpus: leaf.gpus, cpuMilli: leaf.cpuMilli, memoryMib: 0 };
    const queue = nameOf(prefix, leaf, at);
    for (let n = 0; n < leaf.jobs * scale; n += 1) world.submit({ queue, perNode });
  });
  return fairShares(world.state, world.nowMs);
}

type Shares = ReturnType<typeof sharesOf>;
const share = (shares: Shares, path: QueuePath): FairShare => must(shares.get(path), path);
const isTop = (path: QueuePath): boolean => !path.includes("/");

function always(body: (setting: Setting) => void, wanted: fc.Arbitrary<Setting> = setting): void {
  console.log(`seed ${SEED}, ${RUNS} settings`);
  fc.assert(fc.property(wanted, body), { seed: SEED, numRuns: RUNS });
}

/** The same with GPUs only. */
const onlyGpus = setting.map(({ nodes, leaves }) => ({
  nodes,
  leaves: leaves.map((leaf) => ({ ...leaf, cpuMilli: 0 })),
}));

test("shares add up to the cluster where demand suffices, and to the demand where not", () => {
  always((given) => {
    const shares = sharesOf(given);
    const tops = [...shares].filter(([path]) => isTop(path)).map(([, one]) => one);
    const due = tops.reduce((sum, one) => sum + one.dueMilliGpus, 0);
    const wanted = tops.reduce((sum, one) => sum + one.demandGpus, 0) * 1_000;
    expect(due).toBe(Math.min(given.nodes * 8_000, wanted));
  }, onlyGpus);
});

test("nothing is given twice, and what a queue is due is what its children are due", () => {
  always((given) => {
    const shares = sharesOf(given);
    for (const [path, one] of shares) {
      expect(one.dueMilliGpus).toBeLessThanOrEqual(one.demandGpus * 1_000);
      const below = [...shares].filter(([other]) => other.startsWith(`${path}/`));
      const sum = below.reduce((total, [, child]) => total + child.dueMilliGpus, 0);
      expect(below.length === 0 ? 0 : sum).toBeLessThanOrEqual(one.dueMilliGpus);
    }
  });
});

test("a queue is due its guarantee as far as it asks for it, while guarantees fit", () => {
  always((given) => {
    const guaranteed = given.leaves.reduce((sum, { guarantee }) => sum + guarantee, 0);
    fc.pre(guaranteed <= given.nodes * 8);
    const shares = sharesOf(given);
    given.leaves.forEach((leaf, at) => {
      const one = share(shares, nameOf("q", leaf, at));
      const least = Math.min(one.demandGpus, leaf.guarantee) * 1_000;
      expect(one.dueMilliGpus).toBeGreaterThanOrEqual(least);
    });
  }, onlyGpus);
});

test("a larger weight never gives a queue less", () => {
  always((given) => {
    const [first, ...rest] = given.leaves;
    if (first === undefined) return;
    const path = nameOf("q", first, 0);
    const before = share(sharesOf(given), path).due.milliGpus;
    const heavier = { ...given, leaves: [{ ...first, weight: first.weight * 3 }, ...rest] };
    expect(share(sharesOf(heavier), path).due.milliGpus).toBeGreaterThanOrEqual(before - 1);
  }, onlyGpus);
});

test("twice the cluster and twice the demand are twice the shares", () => {
  always((given) => {
    const leaves = given.leaves.map((leaf, top) => ({ ...leaf, guarantee: 0, top }));
    const once = sharesOf({ ...given, leaves });
    const twice = sharesOf({ ...given, leaves }, "q", 2);
    for (const [path, one] of once) {
      const other = share(twice, path);
      // Whole numbers: what does not divide goes to the first.
      expect(Math.abs(other.dueMilliGpus - 2 * one.dueMilliGpus)).toBeLessThanOrEqual(
        40 + 0.01 * other.dueMilliGpus,
      );
    }
  });
});

// The next two are of queues side by side: where queues above others want several scarce resources
// in different proportions, no division level by level can promise both.
test("sharing incentive: whoever wants it has at least its weighted part of its dominant resource", () => {
  always((given) => {
    const leaves = given.leaves.map((leaf, top) => ({
      ...leaf,
      guarantee: 0,
      weight: 1 + top,
      top,
    }));
    const shares = sharesOf({ ...given, leaves });
    const weights = leaves.reduce((sum, { weight }) => sum + weight, 0);
    leaves.forEach((leaf, at) => {
      const one = share(shares, nameOf("q", leaf, at));
      const wanted = dominantDemand(given.nodes, leaf);
      const part = (one.clusterMilliGpus * leaf.weight) / weights;
      const slack = 2 * leaves.length;
      expect(one.due.milliGpus).toBeGreaterThanOrEqual(Math.min(part, wanted) - slack);
    });
  });
});

/** In thousandths of a GPU. */
function dominantDemand(nodes: number, { jobs, gpus, cpuMilli }: Leaf): number {
  return jobs * Math.max(gpus * 1_000, (cpuMilli * nodes * 8_000) / (nodes * 64_000));
}

test("nothing that somebody wants is left over", () => {
  always((given) => {
    const leaves = given.leaves.map((leaf, top) => ({ ...leaf, top }));
    const shares = sharesOf({ ...given, leaves });
    const dueOf = (leaf: Leaf, at: number): number => {
      const one = share(shares, nameOf("q", leaf, at));
      const wanted = dominantDemand(given.nodes, leaf);
      return wanted === 0 ? 1 : one.due.milliGpus / wanted;
    };
    const used = { gpus: 0, cpuMilli: 0, memoryMib: 0 };
    leaves.forEach((leaf, at) => {
      used.gpus += leaf.gpus * leaf.jobs * dueOf(leaf, at);
      used.cpuMilli += leaf.cpuMilli * leaf.jobs * dueOf(leaf, at);
    });
    const totals = { gpus: given.nodes * 8, cpuMilli: given.nodes * 64_000, memoryMib: 0 };
    leaves.forEach((leaf, at) => {
      if (dueOf(leaf, at) > 0.999) return;
      const asked = { gpus: leaf.gpus, cpuMilli: leaf.cpuMilli, memoryMib: 0 };
      const isOut = RESOURCE_KINDS.some(
        (kind) => asked[kind] > 0 && used[kind] >= totals[kind] * 0.99,
      );
      expect({ at, isOut }).toEqual({ at, isOut: true });
    });
  });
});

test("names do not matter", () => {
  always((given) => {
    const ours = [...sharesOf(given)].sort(([a], [b]) => compareText(a, b));
    const theirs = [...sharesOf(given, "team")].sort(([a], [b]) => compareText(a, b));
    expect(theirs.map(([, one]) => one)).toEqual(ours.map(([, one]) => one));
  });
});
