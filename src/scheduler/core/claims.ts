// Claims: a gang that has waited past its patience keeps GPUs on the nodes where it will fit
// soonest, so that smaller jobs behind it in the order can't take each GPU as it comes free. A
// claim lives for one pass and is made again in the next, on the same nodes, since these only get
// emptier. It binds who comes after the holder in the order, not who comes before, and never
// evicts. At most `Policy.claimsMax` gangs claim at once, and only GPUs that they themselves can
// use.

import type { Bank, NodeSlot } from "./fit.ts";
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
    const seats = this.#seatsFor(waiting.shape);
    if (seats === null) {
      this.#unable.add(waiting.shape);
      return;
    }
    this.#holders.add(id);
    for (const seat of seats) this.#take(id, seat, waiting.shape);
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

  #take(holder: JobId, { slot, bank }: Seat, shape: Shape): void {
    const { open, later } = this.#pass;
    const nodeId = slot.id;
    const { gpus } = shape.perNode;
    const candidates = needsIsland(shape) ? inBestIsland(bank) : bank.free;
    const openNow = open.bankAt(slot.order, bank.type).free;
    const free = candidates.filter((gpu) => openNow.includes(gpu)).slice(0, gpus);
    const coming = candidates.filter((gpu) => !free.includes(gpu)).slice(0, gpus - free.length);
    const fromOpen = open.take({ nodeId, gpus: free }, NO_RESOURCES);
    const fromLater = later.take({ nodeId, gpus: [...free, ...coming] }, shape.perNode);
    const kept = { holder, gpus };
    this.#pass.keep(nodeId, kept);
    this.#claims.push({ kept, nodeId, resources: shape.perNode, fromOpen, fromLater });
  }

  /**
   * The seats on one site of the shape, that which needs the fewest GPUs more; on it, the seats
   * that do.
   */
  #seatsFor(shape: Shape): readonly Seat[] | null {
    const { later } = this.#pass;
    const table = new SiteTable(later, shape);
    const bySite = Array.from({ length: table.count }, (): Seat[] => []);
    table.typeSets.forEach((types, typeSet) => {
      for (const slot of later.slots) {
        const seat = slot.isOffered ? this.#seatOn(slot, shape, types) : null;
        if (seat !== null) bySite[table.siteOf(slot, typeSet)]?.push(seat);
      }
    });
    let best: readonly Seat[] | null = null;
    let usefulMost = -1;
    for (const able of bySite) {
      if (able.length < shape.nodes) continue;
      const seats = able.sort(compareSeats).slice(0, shape.nodes);
      const useful = seats.reduce((sum, seat) => sum + seat.useful, 0);
      if (useful <= usefulMost) continue;
      best = seats;
      usefulMost = useful;
    }
    return best;
  }

  /** Null where there would be none beside what others keep on the node. */
  #seatOn(slot: NodeSlot, shape: Shape, types: readonly string[]): Seat | null {
    if (!isLargeEnough(slot, shape, types)) return null;
    const { gpus } = shape.perNode;
    let kept = 0;
    for (const keeper of this.#pass.keptOn(slot.id)) kept += keeper.gpus;
    const at = slot.banks.findIndex(
      ({ type, indexes }) => indexes.length - kept >= gpus && types.includes(type),
    );
    const bank = slot.banks[at];
    if (bank === undefined) return null;
    const openNow = this.#pass.open.slotAt(slot.order).banks[at]?.free ?? [];
    const useful = Math.min(bank.free.length, gpus);
    return { slot, bank, useful, usefulNow: Math.min(openNow.length, gpus) };
  }
}

/** GPUs of one node, as they are in `later`, that could serve a task of the gang some day. */
interface Seat {
  readonly slot: NodeSlot;
  readonly bank: Bank;
  /** GPUs of it that come free without anybody being asked. */
  readonly useful: number;
  /** GPUs of it that are open now. */
  readonly usefulNow: number;
}

const compareSeats = (a: Seat, b: Seat): number =>
  b.useful - a.useful || b.usefulNow - a.usefulNow || a.slot.order - b.slot.order;

/** The free GPUs of the island that has most of them. */
function inBestIsland({ free, islands }: Bank): readonly number[] {
  let best: readonly number[] = [];
  for (const name of new Set(islands.values())) {
    const gpus = free.filter((gpu) => islands.get(gpu) === name);
    if (gpus.length > best.length) best = gpus;
  }
  return best;
}
