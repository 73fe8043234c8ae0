// Sites: the GPU types and nodes of which a gang may be made. By what a job requires, its gang stands
// whole on one of its sites or not at all; what it merely prefers is gang.ts's.

import { type Domain, hasHostRoom, type NodePool, type NodeSlot } from "./fit.ts";
import type { TaskPlacement } from "./job.ts";
import { alternatives, needsIsland, requiredLevel, type Shape } from "./shape.ts";
import { isLargeEnough, islandMax, isSpotBarred } from "./suitable.ts";

export interface Site {
  /** Types that its GPUs may have. */
  readonly types: readonly string[];
  /** Nodes outside it do not count; null = every node does. */
  readonly domain: Domain | null;
  /** Nodes that could serve one task. */
  readonly nodesFit: number;
}

/** The sets of types of which a gang of the shape may be made, the preferred one first. */
export function typeSets(shape: Shape, types: readonly string[]): readonly (readonly string[])[] {
  if (shape.perNode.gpus === 0) return [[]];
  const matching = alternatives(shape, types).flat();
  if (matching.length === 0) return [];
  return shape.mixesGpuTypes ? [matching] : matching.map((type) => [type]);
}

/** Numbers the sites of one shape on one pool: each set of types with each domain. */
export class SiteTable {
  readonly typeSets: readonly (readonly string[])[];
  readonly count: number;
  readonly #shape: Shape;
  readonly #domains: readonly (Domain | null)[];

  constructor(pool: NodePool, shape: Shape, types: readonly string[] = pool.types) {
    const level = requiredLevel(shape);
    this.#shape = shape;
    this.typeSets = typeSets(shape, types);
    this.#domains = level === null ? [null] : pool.domains(level);
    this.count = this.typeSets.length * this.#domains.length;
  }

  /** -1 = the node is in no domain of the level that the shape requires. */
  siteOf(slot: NodeSlot, typeSet: number): number {
    const level = requiredLevel(this.#shape);
    const at = level === null ? 0 : (slot.domains[level]?.at ?? -1);
    return at < 0 ? at : typeSet * this.#domains.length + at;
  }

  typeSetOf(site: number): number {
    return Math.floor(site / this.#domains.length);
  }

  /** The site with the most nodes that fit, the first among equals; null when there is no site. */
  best(nodesFit: readonly number[]): Site | null {
    let best = -1;
    for (let site = 0; site < this.count; site += 1) {
      if (best < 0 || (nodesFit[site] ?? 0) > (nodesFit[best] ?? 0)) best = site;
    }
    if (best < 0) return null;
    return {
      types: this.typeSets[this.typeSetOf(best)] ?? [],
      domain: this.#domains[best % this.#domains.length] ?? null,
      nodesFit: nodesFit[best] ?? 0,
    };
  }
}

/** Where most tasks of the shape could be served with what the pool has free. */
export function fullestSite(pool: NodePool, shape: Shape): Site | null {
  const table = new SiteTable(pool, shape);
  const nodesFit = Array.from({ length: table.count }, () => 0);
  table.typeSets.forEach((types, typeSet) => {
    for (const order of ordersWithRoom(pool, shape, types)) {
      const site = table.siteOf(pool.slotAt(order), typeSet);
      if (site >= 0) nodesFit[site] = (nodesFit[site] ?? 0) + 1;
    }
  });
  return table.best(nodesFit);
}

/** Where most tasks of the shape could be served if nothing ran, on nodes offered or not. */
export function largestSite(pool: NodePool, shape: Shape): Site | null {
  const kinds = pool.kinds();
  const types = [
    ...new Set(kinds.flatMap(({ slot }) => slot.banks.map(({ type }) => type))),
  ].sort();
  const table = new SiteTable(pool, shape, types);
  const nodesFit = Array.from({ length: table.count }, () => 0);
  const nodes =
    requiredLevel(shape) === null ? kinds : pool.slots.map((slot) => ({ slot, count: 1 }));
  table.typeSets.forEach((set, typeSet) => {
    for (const { slot, count } of nodes) {
      const site = table.siteOf(slot, typeSet);
      if (site < 0 || !isLargeEnough(slot, shape, set)) continue;
      nodesFit[site] = (nodesFit[site] ?? 0) + count;
    }
  });
  return table.best(nodesFit);
}

/**
 * Does the placement still keep to what the shape requires of types, topology and spot nodes? A
 * node may have come back with other GPUs or labels.
 */
export function keepsRules(
  pool: NodePool,
  shape: Shape,
  placement: readonly TaskPlacement[],
): boolean {
  const table = new SiteTable(pool, shape);
  return table.typeSets.some((types, typeSet) => {
    const sites = placement.map(({ nodeId, gpus }) => {
      const slot = pool.slot(nodeId);
      if (slot === undefined || isSpotBarred(slot, shape)) return -1;
      const bank = slot.banks.find(({ indexes }) => gpus.every((gpu) => indexes.includes(gpu)));
      if (gpus.length > 0 && (bank === undefined || !types.includes(bank.type))) return -1;
      if (needsIsland(shape) && (bank === undefined || islandMax(bank, gpus) < gpus.length)) {
        return -1;
      }
      return table.siteOf(slot, typeSet);
    });
    return sites.every((site) => site >= 0 && site === sites[0]);
  });
}

/** Nodes that could take one task of the shape, on GPUs of these types, with what is free now. */
function ordersWithRoom(
  pool: NodePool,
  shape: Shape,
  types: readonly string[],
): ReadonlySet<number> {
  const { gpus } = shape.perNode;
  const isIsland = needsIsland(shape);
  const found = new Set<number>();
  const indexes = gpus === 0 ? [pool.nodesByFree] : types.map((type) => pool.indexOf(type));
  indexes.forEach((index, at) => {
    for (let free = gpus; free <= index.levelMax; free += 1) {
      index.scan(free, (order) => {
        const slot = pool.slotAt(order);
        if (isSpotBarred(slot, shape) || !hasHostRoom(slot, shape.perNode)) return true;
        if (isIsland) {
          const bank = pool.bankAt(order, types[at] ?? "");
          if (islandMax(bank, bank.free) < gpus) return true;
        }
        found.add(order);
        return true;
      });
    }
  });
  return found;
}
