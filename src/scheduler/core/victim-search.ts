// One search for the victims of one job: a set of running jobs whose leaving lets the gang in, of
// whom none can be spared. Changes nothing; preempt.ts carries it out.
//
// An elastic job above its least is asked twice: first for as many nodes as it can give up and go on,
// before anybody of its class has to leave as a whole; then, like the others, for all.
//
// The cheapest are asked first. A queue may give only what it has over its guarantee or share, and what
// it has to give may be spent on them before there is enough: then the search begins anew with those
// who hold least, since the last one to leave may take its queue below.

import type { ResourceKind } from "../../base/resources.ts";
import { type Candidate, compareCandidates, type Victim } from "./candidate.ts";
import type { NodeSlot } from "./fit.ts";
import type { WaitingJob } from "./order.ts";
import type { HeldTask, Pass } from "./pass.ts";
import { futureUse, type QueueNode } from "./queue-tree.ts";
import { overQuota, type QuotaBlock } from "./quota.ts";
import { addCut, type Cut, cutOf, rightOver } from "./rights.ts";
import { WhatIf } from "./what-if.ts";

/** How many are tried as the first to be asked, where the cheapest did not do. */
const FIRST_MAX = 8;

/** What a candidate is asked for: all that it holds, or only what it can spare. */
interface Ask {
  readonly candidate: Candidate;
  readonly isWhole: boolean;
}

export class VictimSearch {
  readonly #pass: Pass;
  readonly #waiting: WaitingJob;
  /** In the order in which they are put. */
  readonly #asks: Ask[];
  readonly #whatIf: WhatIf;
  /** What each gives, in an order in which there is a right to each when those before it are gone. */
  readonly #given = new Map<Candidate, readonly HeldTask[]>();
  readonly #cut: Cut = new Map();
  /** Who holds least is asked first. */
  #isBySize = false;
  /** Was anybody spared only because others of his queue are to leave? */
  #isSpent = false;

  constructor(pass: Pass, waiting: WaitingJob, eligible: readonly Candidate[]) {
    this.#pass = pass;
    this.#waiting = waiting;
    this.#asks = asksOf(eligible);
    this.#whatIf = new WhatIf(pass.later, waiting.shape);
  }

  /** Victims of whom none can be spared, perhaps none at all; null when no set was found. */
  run(): readonly Victim[] | null {
    for (const goal of this.#goals()) {
      const victims = this.#runAt(goal);
      if (victims !== null) return victims;
    }
    return this.#isSpent ? this.#runBySize() : null;
  }

  /**
   * Those who hold least first. Or, before them, one of those who stand on most nodes: it may serve
   * several of the tasks at once.
   */
  #runBySize(): readonly Victim[] | null {
    this.#isBySize = true;
    this.#asks.sort((a, b) => sizeOf(a) - sizeOf(b));
    const widest = this.#asks.filter(({ isWhole }) => isWhole).map(({ candidate }) => candidate);
    widest.sort((a, b) => b.tasks.length - a.tasks.length);
    for (const goal of this.#goals()) {
      for (const first of [null, ...widest.slice(0, FIRST_MAX)]) {
        const victims = this.#runAt(goal, first);
        if (victims !== null) return victims;
      }
    }
    return null;
  }

  /** Changes nothing where it fails. */
  #runAt(goal: Goal, first: Candidate | null = null): readonly Victim[] | null {
    if (first !== null) this.#take(first, first.tasks);
    this.#makeRoom(first === null ? goal : this.#repriced(goal));
    this.#makeQuota();
    const asked = [...this.#given.keys()];
    if (!this.#suffices()) {
      for (const candidate of asked) this.#give(candidate, []);
      return null;
    }
    for (const candidate of [...asked].sort(compareCandidates).reverse()) this.#spare(candidate);
    return asked.flatMap((candidate) => {
      const gives = this.#givenBy(candidate);
      return gives.length === 0 ? [] : [{ candidate, gives }];
    });
  }

  /** What somebody has given by now makes the nodes that he stood on cheaper than others. */
  #repriced(goal: Goal): Goal {
    const { sites } = this.#whatIf;
    const typeSet = sites.typeSetOf(goal.site);
    const offers = this.#offers(typeSet).filter(
      ({ slot }) => sites.siteOf(slot, typeSet) === goal.site,
    );
    return { ...goal, offers };
  }

  /** Asks for no more than is needed: nothing, some nodes of an elastic job, or all. */
  #spare(candidate: Candidate): void {
    let gives = this.#givenBy(candidate);
    this.#give(candidate, []);
    if (this.#suffices()) return;
    this.#give(candidate, gives);
    if (candidate.spare === 0) return;
    for (const task of [...gives].reverse()) {
      const fewer = gives.filter((other) => other !== task);
      this.#give(candidate, fewer);
      if (this.#suffices()) gives = fewer;
      else this.#give(candidate, gives);
    }
    if (gives.length > candidate.spare) this.#give(candidate, candidate.tasks);
  }

  readonly #compareOffers = (a: Offer, b: Offer): number =>
    (this.#isBySize ? a.milliGpus - b.milliGpus : 0) ||
    comparePrices(a, b) ||
    a.slot.order - b.slot.order;

  #suffices(): boolean {
    return this.#whatIf.isEnough && this.#overQuota() === null;
  }

  /**
   * The sites that could be emptied for the gang, the cheapest first: the class that would have to
   * go counts before whether anybody has to go as a whole, and that before the work that would be
   * lost, as among victims.
   */
  #goals(): readonly Goal[] {
    const { sites } = this.#whatIf;
    if (this.#whatIf.isEnough) return [NO_ROOM_NEEDED];
    const offers = Array.from({ length: sites.count }, (): Offer[] => []);
    sites.typeSets.forEach((_, typeSet) => {
      for (const offer of this.#offers(typeSet)) {
        offers[sites.siteOf(offer.slot, typeSet)]?.push(offer);
      }
    });
    const goals: Goal[] = [];
    offers.forEach((there, site) => {
      const missing = this.#waiting.shape.nodes - this.#whatIf.nodesFit(site);
      if (there.length < missing) return;
      const asked = there.slice(0, Math.max(0, missing));
      const priority = Math.max(Number.MIN_SAFE_INTEGER, ...asked.map((offer) => offer.priority));
      const evicts = asked.some((offer) => offer.evicts);
      const costGpuMs = asked.reduce((sum, offer) => sum + offer.costGpuMs, 0);
      goals.push({ site, offers: there, priority, evicts, costGpuMs });
    });
    return goals.sort((a, b) => comparePrices(a, b) || a.site - b.site);
  }

  /** Empties nodes of the site, the cheapest first, until enough of them can serve a task. */
  #makeRoom({ site, offers }: Goal): void {
    const typeSet = this.#whatIf.sites.typeSetOf(site);
    let due = offers;
    for (let at = 0; at < due.length; at += 1) {
      const offer = due[at];
      if (offer === undefined || this.#whatIf.nodesFit(site) >= this.#waiting.shape.nodes) return;
      if (this.#whatIf.fits(offer.slot, typeSet)) continue;
      // What an elastic job can spare is offered on each of its nodes, and good for some of them.
      const now = offer.evicts ? offer : this.#offer(offer.slot, typeSet, offer.tenants);
      if (now !== null && now.evicts !== offer.evicts) {
        due = [...due.slice(0, at + 1), ...[...due.slice(at + 1), now].sort(this.#compareOffers)];
      } else if (now !== null) this.#empty(now, typeSet);
    }
  }

  /** Nodes that could be made to fit, with who would have to leave, the cheapest first. */
  #offers(typeSet: number): readonly Offer[] {
    const bySlot = new Map<NodeSlot, Tenant[]>();
    for (const ask of this.#asks) {
      for (const task of ask.candidate.tasks) {
        const slot = this.#pass.later.slot(task.placement.nodeId);
        if (slot === undefined || !slot.isOffered || this.#whatIf.fits(slot, typeSet)) continue;
        const there = bySlot.get(slot);
        if (there === undefined) bySlot.set(slot, [{ ...ask, task }]);
        else there.push({ ...ask, task });
      }
    }
    const offers: Offer[] = [];
    for (const [slot, there] of bySlot) {
      const offer = this.#offer(slot, typeSet, there);
      if (offer !== null) offers.push(offer);
    }
    return offers.sort(this.#compareOffers);
  }

  /** Null when not even all of them suffice. What leaves here is back before it returns. */
  #offer(slot: NodeSlot, typeSet: number, tenants: readonly Tenant[]): Offer | null {
    const left: Tenant[] = [];
    for (const tenant of tenants) {
      if (this.#whatIf.fits(slot, typeSet)) break;
      if (left.some(({ task }) => task === tenant.task) || !this.#canGive(tenant)) continue;
      left.push(tenant);
      this.#whatIf.leave([tenant.task]);
    }
    const asked = this.#whatIf.fits(slot, typeSet) ? this.#needed(slot, typeSet, left) : null;
    this.#whatIf.stay((asked ?? left).map(({ task }) => task));
    return asked === null ? null : this.#priced(slot, tenants, asked);
  }

  /** Of those who leave the node, whoever was asked before one who alone makes the room stays. */
  #needed(slot: NodeSlot, typeSet: number, left: readonly Tenant[]): readonly Tenant[] {
    const needed = left.slice(-1);
    for (const tenant of left.slice(0, -1).reverse()) {
      this.#whatIf.stay([tenant.task]);
      if (this.#whatIf.fits(slot, typeSet)) continue;
      this.#whatIf.leave([tenant.task]);
      needed.unshift(tenant);
    }
    return needed;
  }

  #priced(slot: NodeSlot, tenants: readonly Tenant[], asked: readonly Tenant[]): Offer {
    let priority = Number.MIN_SAFE_INTEGER;
    let costGpuMs = 0;
    let milliGpus = 0;
    for (const tenant of asked) {
      priority = Math.max(priority, tenant.candidate.priority);
      costGpuMs += Math.round(tenant.candidate.costGpuMs / this.#usefulNodes(tenant));
      milliGpus += Math.round((1_000 * sizeOf(tenant)) / this.#usefulNodes(tenant));
    }
    const evicts = asked.some(({ isWhole }) => isWhole);
    return { slot, tenants, asked, priority, evicts, costGpuMs, milliGpus };
  }

  /** A gang that leaves may serve several tasks: each bears its part of the cost, and of its size. */
  #usefulNodes({ candidate, isWhole }: Ask): number {
    const nodes = isWhole ? candidate.tasks.length : candidate.spare;
    return Math.min(nodes, this.#waiting.shape.nodes);
  }

  /** Is the task still there to be given, and can the job go on without it if it is to? */
  #canGive({ candidate, isWhole, task }: Tenant): boolean {
    const given = this.#givenBy(candidate);
    return !given.includes(task) && (isWhole || given.length < candidate.spare);
  }

  /** All or nothing: a node that can't be emptied within everyone's rights costs nobody. */
  #empty({ slot, tenants, asked }: Offer, typeSet: number): void {
    const before = new Map(this.#given);
    for (const tenant of [...asked, ...tenants]) {
      if (this.#whatIf.fits(slot, typeSet)) return;
      const { candidate, isWhole, task } = tenant;
      if (!this.#canGive(tenant)) continue;
      this.#take(candidate, isWhole ? candidate.tasks : [...this.#givenBy(candidate), task]);
    }
    if (this.#whatIf.fits(slot, typeSet)) return;
    for (const candidate of new Map(this.#given).keys()) {
      this.#give(candidate, before.get(candidate) ?? NOTHING);
    }
    this.#putInOrder(before.keys());
  }

  /** Where a limit is in the way, those who leave must come from below it. */
  #makeQuota(): void {
    for (const { candidate, isWhole } of this.#asks) {
      const limited = this.#overQuota();
      if (limited === null) return;
      const { tasks, spare } = candidate;
      const more = isWhole ? tasks.length : spare;
      if (this.#givenBy(candidate).length >= more || !isBelow(candidate, limited)) continue;
      this.#take(candidate, this.#withMore(candidate, more));
    }
  }

  /** What it gives already, and of the rest what is last, up to so many. */
  #withMore(candidate: Candidate, count: number): readonly HeldTask[] {
    const given = this.#givenBy(candidate);
    const rest = candidate.tasks.filter((task) => !given.includes(task));
    return [...given, ...rest.slice(rest.length - (count - given.length))];
  }

  /** What still forbids it once those who were chosen have left. */
  #overQuota(): QuotaBlock | null {
    const { leaf, shape } = this.#waiting;
    const useOf = (queue: QueueNode, kind: ResourceKind): number =>
      futureUse(queue, kind) - cutOf(this.#cut, queue, kind);
    return overQuota(leaf, shape, useOf) ?? this.#overShare();
  }

  /**
   * Classes and turns are a queue's own affair: who takes by them does not lift it over its share and
   * its guarantee. Others would take it back from him, and whom he took from back from them.
   */
  #overShare(): QuotaBlock | null {
    const { leaf, shape } = this.#waiting;
    if (![...this.#given.keys()].some((candidate) => candidate.leaf === leaf)) return null;
    for (const queue of leaf.lineage) {
      if (queue.dueGpus === null) return null;
      const limit = Math.max(queue.dueGpus, queue.spec.guarantee, futureUse(queue));
      const use = futureUse(queue) - cutOf(this.#cut, queue, "gpus") + shape.gpus;
      if (use > limit) return { kind: "limit", queue, resource: "gpus", asked: shape.gpus, limit };
    }
    return null;
  }

  /**
   * Where there is a right to it. The right is to all that it holds: what it gives already does not
   * count against it.
   */
  #take(candidate: Candidate, tasks: readonly HeldTask[]): void {
    const given = this.#givenBy(candidate);
    addCut(this.#cut, candidate, given, -1);
    const right = rightOver(this.#waiting, candidate, this.#cut, gpusIn(tasks));
    addCut(this.#cut, candidate, given, 1);
    const order = right === null ? this.#rightfulOrder(candidate, tasks) : null;
    if (right === null && order === null) this.#isSpent = true;
    else this.#give(candidate, tasks);
    if (order !== null) this.#putInOrder(order);
  }

  /** If it goes before some who give more: the last one may take its queue below. */
  #rightfulOrder(last: Candidate, tasks: readonly HeldTask[]): readonly Candidate[] | null {
    if (this.#given.size === 0) return null;
    const gives = new Map(this.#given).set(last, tasks);
    const gpusOf = (one: Candidate): number => gpusIn(gives.get(one) ?? NOTHING);
    const order = [...gives.keys()].sort((a, b) => gpusOf(a) - gpusOf(b));
    const cut: Cut = new Map();
    for (const candidate of order) {
      const given = gives.get(candidate) ?? NOTHING;
      if (rightOver(this.#waiting, candidate, cut, gpusIn(given)) === null) return null;
      addCut(cut, candidate, given, 1);
    }
    return order;
  }

  #putInOrder(order: Iterable<Candidate>): void {
    const given = [...order].map((candidate) => [candidate, this.#givenBy(candidate)] as const);
    this.#given.clear();
    for (const [candidate, tasks] of given) this.#given.set(candidate, tasks);
  }

  #givenBy(candidate: Candidate): readonly HeldTask[] {
    return this.#given.get(candidate) ?? NOTHING;
  }

  /**
   * In place of what it gave before. Whoever gives more comes last: the right to it was checked
   * with all that others give.
   */
  #give(candidate: Candidate, tasks: readonly HeldTask[]): void {
    const before = this.#givenBy(candidate);
    this.#whatIf.stay(before);
    addCut(this.#cut, candidate, before, -1);
    this.#whatIf.leave(tasks);
    addCut(this.#cut, candidate, tasks, 1);
    if (tasks.length === 0 || tasks.length > before.length) this.#given.delete(candidate);
    if (tasks.length > 0) this.#given.set(candidate, tasks);
  }
}

const NOTHING: readonly HeldTask[] = [];

const sizeOf = ({ candidate, isWhole }: Ask): number =>
  isWhole ? candidate.gpus : candidate.job.spec.perNode.gpus;

export const gpusIn = (tasks: readonly HeldTask[]): number =>
  tasks.reduce((sum, { resources }) => sum + resources.gpus, 0);

/** In each class, what can be spared goes before anyone who would have to leave. */
function asksOf(eligible: readonly Candidate[]): Ask[] {
  const whole = eligible.map((candidate) => ({ candidate, isWhole: true }));
  const spare = eligible.filter((candidate) => candidate.spare > 0);
  if (spare.length === 0) return whole;
  const asks = [...spare.map((candidate) => ({ candidate, isWhole: false })), ...whole];
  return asks.sort(
    (a, b) =>
      a.candidate.priority - b.candidate.priority ||
      Number(a.isWhole) - Number(b.isWhole) ||
      compareCandidates(a.candidate, b.candidate),
  );
}

/** Would its leaving help? Where GPUs are not lent, whoever borrows instead may leave. */
function isBelow({ leaf, tasks }: Candidate, block: QuotaBlock): boolean {
  if (block.kind === "lending") return tasks.some(({ resources }) => resources.gpus > 0);
  const { queue, resource } = block;
  return leaf.lineage.includes(queue) && tasks.some((task) => task.resources[resource] > 0);
}

/** An eligible job on one node. */
interface Tenant extends Ask {
  readonly task: HeldTask;
}

interface Price {
  /** Highest class among those who would have to give. */
  readonly priority: number;
  /** Would anybody have to leave as a whole? */
  readonly evicts: boolean;
  readonly costGpuMs: number;
}

interface Offer extends Price {
  readonly slot: NodeSlot;
  /** All who are eligible there, in the order in which they are asked. */
  readonly tenants: readonly Tenant[];
  /** Those of them who suffice. */
  readonly asked: readonly Tenant[];
  /** What these hold, in thousandths of a GPU: a gang's part, as of its cost. */
  readonly milliGpus: number;
}

/** A site to empty for the gang, with the price of the cheapest that would suffice. */
interface Goal extends Price {
  readonly site: number;
  /** Its nodes that could be made to fit, the cheapest first. */
  readonly offers: readonly Offer[];
}

/** Where only quota is in the way. */
const NO_ROOM_NEEDED: Goal = { site: 0, offers: [], priority: 0, evicts: false, costGpuMs: 0 };

/**
 * Class first, cost last: cheap work of a higher class is not traded for dear work of a lower, and
 * who can give some nodes does so before others of the class have to wait.
 */
function comparePrices(a: Price, b: Price): number {
  return (
    a.priority - b.priority || Number(a.evicts) - Number(b.evicts) || a.costGpuMs - b.costGpuMs
  );
}
