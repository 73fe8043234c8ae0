// A pool that is kept up to date against one that is made of the nodes as they are.

import { expect, test } from "vitest";
import { nodeId } from "../../base/ids.ts";
import { createPrng } from "../../base/prng.ts";
import { NodePool } from "./fit.ts";
import { jobSpec, nodeSpec, World } from "./fixture.ts";
import { poolOf } from "./node-pools.ts";

/** All that a pool can tell. */
const told = (pool: NodePool): unknown => ({
  slots: pool.slots,
  types: pool.types,
  byFree: [0, 1, 2, 3, 4].map((free) => pool.nodesByFree.countAt(free)),
  ofType: pool.types.map((type) => [0, 1, 2, 3, 4].map((free) => pool.indexOf(type).countAt(free))),
  kinds: pool.kinds().map(({ slot, count }) => [slot.spec, count]),
  inRacks: pool.domains("rack").map((rack) => [rack.id, pool.freeIn("rack", rack)]),
});

const kept = ({ state }: World): unknown => told(poolOf(state.nodes));
const madeAnew = ({ state }: World): unknown => told(new NodePool([...state.nodes.values()]));

/** In a rack, so that domains count too. */
const inRack = (name: string, gpus: number) => ({
  ...nodeSpec(name, gpus),
  labels: { "topology.kubernetes.io/rack": name < "c" ? "r1" : "r2" },
});

test("what is remembered of a cluster is what its nodes have, whatever happens", () => {
  const world = new World();
  const prng = createPrng(3);
  for (const name of ["d", "b", "a", "c"]) world.register(inRack(name, 4));
  for (let turn = 0; turn < 60; turn += 1) {
    world.submit({ gpus: 1 + prng.below(4), nodes: 1 + prng.below(2) });
    world.plan();
    world.run();
    expect(kept(world)).toEqual(madeAnew(world));
    const running = [...world.state.active.keys()];
    if (running.length > 0) world.end(prng.pick(running));
    const node = nodeId(prng.pick(["a", "b", "c"]));
    if (turn % 7 === 3) world.must({ kind: "node.cordon", nodeId: node, note: "" });
    if (turn % 7 === 5) world.must({ kind: "node.uncordon", nodeId: node });
    if (turn === 30) world.register(inRack("aa", 2));
    if (turn === 45) world.register(inRack("d", 8));
    expect(kept(world)).toEqual(madeAnew(world));
  }
});

test("what a caller takes is missing in no other pool", () => {
  const world = new World().nodes(1, 4);
  const { nodes } = world.state;
  poolOf(nodes).take({ nodeId: nodeId("node-1"), gpus: [0, 1] }, jobSpec().perNode);
  expect(poolOf(nodes).slotAt(0).freeGpus).toBe(4);
});
