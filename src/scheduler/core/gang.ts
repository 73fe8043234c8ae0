// Choosing nodes for a gang: whole or not at all, on the nodes that it leaves the fewest idle GPUs
// on. What may be taken is the pool's business, who comes first is the plan's.
//
// What is asked for goes in this order. Nodes that failed the job are used only if nothing else
// will do. Who prefers spot nodes gets them if the gang fits there. Then the first GPU type of the
// job's list on which it fits, one type for all; then the tightest domain. Domains with the fewest
// free GPUs first, so that whole racks stay whole; inside, nodes with the fewest free GPUs, so that
// whole nodes do. Only among nodes with equally many does it count who has the checkpoint or the
// code already, then whose rack is fullest, then the id.

import { must } from "../../base/assert.ts";
import type { NodeId } from "../../base/ids.ts";
import { type Bank, type Domain, hasHostRoom, type NodePool, type NodeSlot } from "./fit.ts";
import type { FreeIndex } from "./free-index.ts";
import type { TaskPlacement } from "./job.ts";
import { alternatives, type Shape } from "./shape.ts";
import { isSpotBarred, islandMax } from "./suitable.ts";
import { DOMAIN_LEVELS, type DomainLevel } from "./topology.ts";

/** What one job of a shape would rather have, though it can do without. */
export interface Taste {
  /** Nodes that failed it. */
  readonly avoid: readonly NodeId[];
  /** Nodes that have its checkpoint or its code, the best first. */
  readonly warm: readonly NodeId[];
}

export const NO_TASTE: Taste = { avoid: [], warm: [] };

/**
 * A placement of the whole gang on what the pool has free, or null. Ranks follow the node ids; the
 * GPUs of a task are in one island where that is possible. CPU and memory must suffice in `pool`,
 * and in `beside` too: what is free now, and what is left of it once reservations have come true.
 */
export function fitGang(
  pool: NodePool,
  shape: Shape,
  taste: Taste = NO_TASTE,
  beside: NodePool = pool,
): readonly TaskPlacement[] | null {
  if (shape.gpus > pool.nodesByFree.freeTotal) return null;
  const picks = pickGang({ pool, beside, shape, taste });
  if (picks === null) return null;
  const ordered = [...picks].sort((a, b) => a.slot.order - b.slot.order);
  return ordered.map(({ slot, bank }) => ({
    nodeId: slot.id,
    gpus: bank === null ? [] : chooseGpus(bank, shape.perNode.gpus),
  }));
}

/** Where to look and for what. */
interface Place {
  readonly pool: NodePool;
  readonly beside: NodePool;
  readonly shape: Shape;
  readonly taste: Taste;
}

/** How tight: the GPUs of a task inside an island, the gang inside a domain, or anywhere. */
type Rung = "island" | DomainLevel | "anywhere";

interface Try extends Place {
  readonly takesAvoided: boolean;
  readonly isSpotOnly: boolean;
}

interface Pick {
  readonly slot: NodeSlot;
  /** Null when the task needs no GPU. */
  readonly bank: Bank | null;
  /** Idle GPUs left beside it. */
  readonly rest: number;
}

interface Source {
  readonly index: FreeIndex;
  readonly pick: (order: number) => Pick;
}

function pickGang(place: Place): readonly Pick[] | null {
  const hopes = hopesOf(place.pool, place.shape);
  for (const attempt of triesOf(place)) {
    for (const sets of hopes) {
      const picks = tightest(attempt, sets);
      if (picks !== null) return picks;
    }
  }
  return null;
}

/** What is allowed in each attempt, the strictest first. */
function triesOf(place: Place): readonly Try[] {
  const { shape, taste } = place;
  const avoided = taste.avoid.length === 0 ? [true] : [false, true];
  const spot = shape.spot === "prefer" ? [true, false] : [false];
  return avoided.flatMap((takesAvoided) =>
    spot.map((isSpotOnly) => ({ ...place, takesAvoided, isSpotOnly })),
  );
}

function tightest(attempt: Try, sets: readonly SourceSet[]): readonly Pick[] | null {
  for (const rung of rungsOf(attempt.shape)) {
    const picks = leastRest(attempt, rung, sets);
    if (picks !== null) return picks;
  }
  return null;
}

type SourceSet = readonly Source[];

/** By alternative, the sources of each type; at the end, where that is allowed, all together. */
function hopesOf(pool: NodePool, shape: Shape): readonly (readonly SourceSet[])[] {
  const { gpus } = shape.perNode;
  if (gpus === 0) return [[[hostSource(pool)]]];
  const hopes = alternatives(shape, pool.types)
    .filter((types) => types.length > 0)
    .map((types) => types.map((type): SourceSet => [bankSource(pool, type, gpus)]));
  const all = hopes.flat(2);
  return shape.mixesGpuTypes && all.length > 1 ? [...hopes, [all]] : hopes;
}

function hostSource(pool: NodePool): Source {
  const pick = (order: number): Pick => ({ slot: pool.slotAt(order), bank: null, rest: 0 });
  return { index: pool.nodesByFree, pick };
}

function bankSource(pool: NodePool, type: string, gpus: number): Source {
  const pick = (order: number): Pick => {
    const bank = pool.bankAt(order, type);
    return { slot: pool.slotAt(order), bank, rest: bank.free.length - gpus };
  };
  return { index: pool.indexOf(type), pick };
}

const LADDER: readonly Rung[] = ["island", ...DOMAIN_LEVELS, "anywhere"];
const ANYWHERE: readonly Rung[] = ["anywhere"];

function rungsOf({ topology, nodes }: Shape): readonly Rung[] {
  if (topology === null) return ANYWHERE;
  if (topology.mode === "required") return [topology.level];
  const wider = LADDER.slice(LADDER.indexOf(topology.level));
  // One node is in one rack wherever it is.
  return nodes === 1 ? wider.filter((rung) => rung === "island" || rung === "anywhere") : wider;
}

function leastRest(attempt: Try, rung: Rung, sets: readonly SourceSet[]): readonly Pick[] | null {
  let best: readonly Pick[] | null = null;
  for (const sources of sets) {
    const picks = pickFrom(attempt, rung, sources);
    if (picks !== null && (best === null || restOf(picks) < restOf(best))) best = picks;
  }
  return best;
}

const restOf = (picks: readonly Pick[]): number => picks.reduce((sum, { rest }) => sum + rest, 0);

function pickFrom(attempt: Try, rung: Rung, sources: SourceSet): readonly Pick[] | null {
  const { pool, shape } = attempt;
  const enough = sources.reduce((sum, { index }) => sum + index.countFrom(shape.perNode.gpus), 0);
  if (enough < shape.nodes) return null;
  const isIsland = rung === "island";
  if (isIsland || rung === "anywhere") return pickWithin(attempt, sources, { isIsland });
  for (const domain of fullestFirst(pool, rung)) {
    const picks =
      domain.orders.length < shape.nodes ? null : pickWithin(attempt, sources, { domain });
    if (picks !== null) return picks;
  }
  return null;
}

interface Bounds {
  readonly domain?: Domain;
  readonly isIsland?: boolean;
}

/** Best fit, among all nodes or inside a domain. */
function pickWithin(
  attempt: Try,
  sources: SourceSet,
  { domain, isIsland = false }: Bounds,
): readonly Pick[] | null {
  const { pool, shape } = attempt;
  const { gpus } = shape.perNode;
  const warm = warmOrders(attempt);
  const walk = domain === undefined ? walkOf(pool, shape) : [domain];
  const picked = new Map<number, Pick>();
  const levelMax = sources.reduce((most, { index }) => Math.max(most, index.levelMax), 0);
  for (let free = gpus; free <= levelMax; free += 1) {
    for (const source of sources) {
      const visit = (order: number): boolean => {
        if (picked.has(order) || !isUsable(attempt, source, order, isIsland)) return true;
        picked.set(order, source.pick(order));
        return picked.size < shape.nodes;
      };
      const visitThere = (order: number): boolean => !source.index.has(order, free) || visit(order);
      const isNear = (order: number): boolean =>
        domain === undefined || domain.orders.includes(order);
      const goOn =
        warm.every((order) => !isNear(order) || visitThere(order)) &&
        walk.every(({ orders }) => orders.every(visitThere)) &&
        (domain !== undefined || source.index.scan(free, visit));
      if (!goOn) return [...picked.values()];
    }
  }
  return null;
}

/** With racks, the nodes of the fullest come first among equals. Without, there is no order. */
function walkOf(pool: NodePool, { perNode }: Shape): readonly Domain[] {
  return perNode.gpus === 0 ? [] : fullestFirst(pool, "rack");
}

function fullestFirst(pool: NodePool, level: DomainLevel): readonly Domain[] {
  const domains = pool.domains(level);
  if (domains.length < 2) return domains;
  const free = domains.map((domain) => pool.freeIn(level, domain));
  const freeIn = (domain: Domain): number => must(free[domain.at], domain.id);
  return [...domains].sort((a, b) => freeIn(a) - freeIn(b) || a.at - b.at);
}

function warmOrders({ pool, taste }: Try): readonly number[] {
  return taste.warm.flatMap((id) => pool.slot(id)?.order ?? []);
}

function isUsable(attempt: Try, { pick }: Source, order: number, isIsland: boolean): boolean {
  const { pool, beside, shape, taste, takesAvoided, isSpotOnly } = attempt;
  const slot = pool.slotAt(order);
  if (!hasHostRoom(slot, shape.perNode)) return false;
  if (!hasHostRoom(beside.slotAt(order), shape.perNode)) return false;
  if (isSpotBarred(slot, shape) || (isSpotOnly && !slot.isSpot)) return false;
  if (!takesAvoided && taste.avoid.includes(slot.id)) return false;
  if (!isIsland) return true;
  const { bank } = pick(order);
  return bank !== null && islandMax(bank, bank.free) >= shape.perNode.gpus;
}

/**
 * Lowest indexes first, where nothing is known of islands. Else from the island with the fewest
 * free GPUs that suffice; where none does, from the fewest islands.
 */
export function chooseGpus(bank: Bank, count: number): readonly number[] {
  if (bank.islands.size === 0) return bank.free.slice(0, count);
  const islands = new Map<string, number[]>();
  for (const gpu of bank.free) {
    const name = bank.islands.get(gpu) ?? `alone-${gpu}`;
    const there = islands.get(name);
    if (there === undefined) islands.set(name, [gpu]);
    else there.push(gpu);
  }
  // By size; among equals the one with the lowest index came first.
  const bySize = [...islands.values()].sort((a, b) => a.length - b.length);
  const enough = bySize.find((gpus) => gpus.length >= count) ?? bySize.reverse().flat();
  return enough.slice(0, count).sort((a, b) => a - b);
}
