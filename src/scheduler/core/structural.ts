// Whether a shape fits this cluster's nodes at all, whatever runs there, and if not, why.

import type { NodePool } from "./fit.ts";
import type { Hold } from "./hold.ts";
import { alternatives, type Shape } from "./shape.ts";
import { fullestSite, largestSite, type Site, SiteTable } from "./sites.ts";
import type { NodeSpec } from "./state.ts";
import { isLargeEnough } from "./suitable.ts";

/** Set when only another set of nodes could help; null when the shape can fit some day. */
export const structuralHold = remembered(findStructuralHold);

/** Are there nodes enough on offer for the shape, whatever runs there? */
export const isEverOffered = remembered(findOffered);

/**
 * By layout: as long as the nodes stay as they are, each pass would find the same. So `find` goes by
 * what is in the pool's layout, and by its types, alone.
 */
function remembered<T>(
  find: (pool: NodePool, shape: Shape) => T,
): (pool: NodePool, shape: Shape) => T {
  const byLayout = new WeakMap<object, WeakMap<Shape, { readonly found: T }>>();
  return (pool, shape) => {
    let known = byLayout.get(pool.layout);
    if (known === undefined) byLayout.set(pool.layout, (known = new WeakMap()));
    let entry = known.get(shape);
    if (entry === undefined) known.set(shape, (entry = { found: find(pool, shape) }));
    return entry.found;
  };
}

function findOffered(pool: NodePool, shape: Shape): boolean {
  const table = new SiteTable(pool, shape);
  const nodesFit = Array.from({ length: table.count }, () => 0);
  table.typeSets.forEach((types, typeSet) => {
    for (const slot of pool.slots) {
      const site = table.siteOf(slot, typeSet);
      if (site < 0 || !slot.isOffered || !isLargeEnough(slot, shape, types)) continue;
      nodesFit[site] = (nodesFit[site] ?? 0) + 1;
    }
  });
  return nodesOf(table.best(nodesFit)) >= shape.nodes;
}

function findStructuralHold(pool: NodePool, shape: Shape): Hold | null {
  const { gpuTypes, nodes: nodesAsked } = shape;
  const gpusPerNode = shape.perNode.gpus;
  const isTypeThere = alternatives(shape, pool.types).some((types) => types.length > 0);
  if (gpuTypes.length > 0 && gpusPerNode > 0 && !isTypeThere) {
    return { code: "NO_MATCHING_GPU", gpuTypes, typesPresent: pool.types };
  }
  const site = largestSite(pool, shape);
  const nodesFit = site?.nodesFit ?? 0;
  if (nodesFit >= nodesAsked) return null;
  const anywhere = nodesOf(largestSite(pool, { ...shape, topology: null }));
  if (anywhere >= nodesAsked) return topologyHold(pool, shape, site, "ever");
  return exceeds(pool, { ...shape, topology: null }, anywhere);
}

function exceeds(pool: NodePool, shape: Shape, nodesFit: number): Hold {
  const { gpus, cpuMilli, memoryMib } = shape.perNode;
  const most = (amountOf: (spec: NodeSpec) => number): number =>
    pool.slots.reduce((largest, { spec }) => Math.max(largest, amountOf(spec)), 0);
  return {
    code: "EXCEEDS_CLUSTER",
    gpuTypes: shape.gpuTypes,
    nodesAsked: shape.nodes,
    gpusPerNode: gpus,
    cpuMilliPerNode: cpuMilli,
    memoryMibPerNode: memoryMib,
    nodesFit,
    nodesMixed: nodesOf(largestSite(pool, { ...shape, mixesGpuTypes: true })),
    gpusLargest: most((spec) => spec.gpus.length),
    cpuMilliLargest: most((spec) => spec.cpuMilli),
    memoryMibLargest: most((spec) => spec.memoryMib),
    nodesSpot: shape.spot === "avoid" ? spotOf(pool, shape) : 0,
  };
}

/** Set when the gang would fit now but for its topology. */
export function topologyHoldNow(pool: NodePool, shape: Shape): Hold | null {
  if (shape.topology?.mode !== "required") return null;
  if (nodesOf(fullestSite(pool, { ...shape, topology: null })) < shape.nodes) return null;
  return topologyHold(pool, shape, fullestSite(pool, shape), "now");
}

function topologyHold(
  pool: NodePool,
  { topology, nodes: nodesAsked, perNode }: Shape,
  site: Site | null,
  scope: "ever" | "now",
): Hold {
  const level = topology?.level ?? "rack";
  return {
    code: "TOPOLOGY",
    level,
    scope,
    nodesAsked,
    gpusPerNode: perNode.gpus,
    domain: site?.domain?.id ?? "",
    nodesFit: nodesOf(site),
    domains: level === "island" ? 0 : pool.domains(level).length,
  };
}

/** Large enough, and not counted only because it is a spot node. */
function spotOf(pool: NodePool, shape: Shape): number {
  const all = nodesOf(largestSite(pool, { ...shape, spot: "allow" }));
  return all - nodesOf(largestSite(pool, shape));
}

const nodesOf = (site: Site | null): number => site?.nodesFit ?? 0;
