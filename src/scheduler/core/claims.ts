// Claims: a gang that has waited past its patience keeps GPUs on the nodes where it will fit
// soonest, so that smaller jobs behind it in the order can't take each GPU as it comes free. A
// claim lives for one pass and is made again in the next, on the same nodes, since these only get
// emptier. It binds who comes after the holder in the order, not who comes before, and never
// evicts. At most `Policy.claimsMax` gangs claim at once, and only GPUs that they themselves can
// use.

import { type Bank, type NodePool, type NodeSlot } from "./fit.ts";
import type { JobId } from "../../base/ids.ts";
import { NO_RESOURCES, type Resources } from "../../base/resources.ts";
import type { TaskPlacement } from "./job.ts";
import type { WaitingJob } from "./order.ts";
import type { Kept, Pass } from "./pass.ts";
import { needsIsland, type Shape } from "./shape.ts";
import { isLargeEnough } from "./suitable.ts";
import { SiteTable } from "./sites.ts";

interface Claim {
  readonly kept: Kept;
  readonly nodeId: TaskPlacement["nodeId"];
  readonly resources: Resources;
  readonly fromOpen: readonly number[];
  readonly fromLater: readonly number[];
}

export class Claims {
  readonly #pass: Pass;
  readonly #claims: Claim[] = [];
  readonly #holders = new Set<JobId>();
  /** Too few nodes could ever serve these beside what is kept by now. */
  readonly #unable = new Set<Shape>();

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  get isEmpty(): boolean {
    return this.#holders.size === 0;
  }

  /** May another job of the shape claim? */
  isOpenFor(shape: Shape): boolean {
    const isLeft = this.#holders.size < this.#pass.policy.claimsMax;
    return isLeft && shape.gpus > 0 && !this.#unable.has(shape);
  }

  /** Has it waited past its patience? */
  isDue({ sinceMs }: Pick<WaitingJob, "sinceMs">): boolean {
    return sinceMs + this.#pass.policy.gangPatienceMs <= this.#pass.nowMs;
  }

  /** Keeps nodes for a job that does not fit now. Does nothing when too few could ever serve it. */
  claim(waiting: WaitingJob): void {
    const { id } = waiting.job;
    if (!this.isOpenFor(waiting.shape) || !this.isDue(waiting) || this.#holders.has(id)) return;
    const banks = this.#targets(waiting.shape);
    if (banks === null) {
      this.#unable.add(waiting.shape);
      return;
    }
    this.#holders.add(id);
    for (const bank of banks) this.#take(id, bank, waiting.shape);
  }

  /** Gives everything back, for another walk over the queues. */
  release(): void {
    const { open, later } = this.#pass;
    for (const { nodeId, kept, resources, fromOpen, fromLater } of this.#claims) {
      open.give({ nodeId, gpus: fromOpen }, NO_RESOURCES);
      later.give({ nodeId, gpus: fromLater }, resources);
      this.#pass.unkeep(nodeId, kept);
    }
    this.#pass.laterVersion += 1;
    this.#claims.length = 0;
    this.#holders.clear();
    this.#unable.clear();
  }

  #take(holder: JobId, bank: Bank, shape: Shape): void {
    const { open, later } = this.#pass;
    const nodeId = bank.slot.id;
    const { gpus } = shape.perNode;
    const candidates = needsIsland(shape) ? inBestIsland(bank) : bank.free;
    const free = candidates.filter((gpu) => freeOf(open, bank).includes(gpu)).slice(0, gpus);
    const coming = candidates.filter((gpu) => !free.includes(gpu)).slice(0, gpus - free.length);
    const fromOpen = open.take({ nodeId, gpus: free }, NO_RESOURCES);
    const fromLater = later.take({ nodeId, gpus: [...free, ...coming] }, shape.perNode);
    const kept = { holder, gpus };
    this.#pass.keep(nodeId, kept);
    this.#claims.push({ kept, nodeId, resources: shape.perNode, fromOpen, fromLater });
  }

  /**
   * Banks of `later` on one site of the shape, that which needs the fewest GPUs more; on it, the
   * banks that do.
   */
  #targets(shape: Shape): readonly Bank[] | null {
    const { later } = this.#pass;
    const table = new SiteTable(later, shape);
    const bySite = Array.from({ length: table.count }, (): Bank[] => []);
    table.typeSets.forEach((types, typeSet) => {
      for (const slot of later.slots) {
        const bank = slot.isOffered ? this.#bankFor(slot, shape, types) : undefined;
        if (bank !== undefined) bySite[table.siteOf(slot, typeSet)]?.push(bank);
      }
    });
    let best: Target | null = null;
    for (const able of bySite) {
      if (able.length < shape.nodes) continue;
      const target = this.#target(able, shape);
      if (best === null || target.useful > best.useful) best = target;
    }
    return best === null ? null : best.banks;
  }

  #target(able: Bank[], shape: Shape): Target {
    const { open } = this.#pass;
    const useful = (gpus: readonly number[]): number => Math.min(gpus.length, shape.perNode.gpus);
    able.sort(
      (a, b) =>
        useful(b.free) - useful(a.free) ||
        useful(freeOf(open, b)) - useful(freeOf(open, a)) ||
        a.slot.order - b.slot.order,
    );
    const banks = able.slice(0, shape.nodes);
    return { banks, useful: banks.reduce((sum, { free }) => sum + useful(free), 0) };
  }

  /** The bank that could serve a task beside what others keep on the node. */
  #bankFor(slot: NodeSlot, shape: Shape, types: readonly string[]): Bank | undefined {
    if (!isLargeEnough(slot, shape, types)) return undefined;
    const kept = this.#pass.keptOn(slot.id).reduce((sum, { gpus }) => sum + gpus, 0);
    return slot.banks.find(
      ({ type, indexes }) => indexes.length - kept >= shape.perNode.gpus && types.includes(type),
    );
  }
}

/** Where a gang would claim. */
interface Target {
  readonly banks: readonly Bank[];
  /** GPUs of them that come free without anybody being asked. */
  readonly useful: number;
}

function freeOf(pool: NodePool, bank: Bank): readonly number[] {
  return pool.bankAt(bank.slot.order, bank.type).free;
}

/** The free GPUs of the island that has most of them. */
function inBestIsland({ free, islands }: Bank): readonly number[] {
  let best: readonly number[] = [];
  for (const name of new Set(islands.values())) {
    const gpus = free.filter((gpu) => islands.get(gpu) === name);
    if (gpus.length > best.length) best = gpus;
  }
  return best;
}
