// One search for the victims of one job: a set of running jobs whose leaving lets the gang in, of
// whom none can be spared. Changes nothing; preempt.ts carries it out.

import type { NodeSlot } from "./fit.ts";
import type { WaitingJob } from "./order.ts";
import type { HeldTask, Pass } from "./pass.ts";
import { futureUse } from "./queue-tree.ts";
import { overQuota, type QuotaBlock } from "./quota.ts";
import {
  addCut,
  type Candidate,
  type Cut,
  compareCandidates,
  cutOf,
  rightOver,
} from "./victims.ts";
import { WhatIf } from "./what-if.ts";

export class VictimSearch {
  readonly #pass: Pass;
  readonly #waiting: WaitingJob;
  /** In the order in which they are asked. */
  readonly #eligible: readonly Candidate[];
  readonly #whatIf: WhatIf;
  readonly #chosen = new Set<Candidate>();
  readonly #cut: Cut = new Map();

  constructor(pass: Pass, waiting: WaitingJob, eligible: readonly Candidate[]) {
    this.#pass = pass;
    this.#waiting = waiting;
    this.#eligible = eligible;
    this.#whatIf = new WhatIf(pass.later, waiting.shape);
  }

  /** Victims of whom none can be spared, perhaps none at all; null when no set suffices. */
  run(): readonly Candidate[] | null {
    for (const goal of this.#goals()) {
      const victims = this.#runAt(goal);
      if (victims !== null) return victims;
    }
    return null;
  }

  /** Changes nothing where it fails. */
  #runAt(goal: Goal): readonly Candidate[] | null {
    this.#makeRoom(goal);
    this.#makeQuota();
    const asked = [...this.#chosen];
    if (!this.#suffices()) {
      for (const candidate of asked) this.#spare(candidate);
      return null;
    }
    for (const candidate of [...asked].sort(compareCandidates).reverse()) {
      this.#spare(candidate);
      if (!this.#suffices()) this.#choose(candidate);
    }
    // In the order of asking: each right was checked with those before it gone.
    return asked.filter((candidate) => this.#chosen.has(candidate));
  }

  #suffices(): boolean {
    return this.#whatIf.isEnough && this.#overQuota() === null;
  }

  /**
   * The sites that could be emptied for the gang, the cheapest first: the class that would have to
   * go counts before the work that would be lost, as among victims.
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
      const costGpuMs = asked.reduce((sum, offer) => sum + offer.costGpuMs, 0);
      goals.push({ site, offers: there, priority, costGpuMs });
    });
    return goals.sort(
      (a, b) => a.priority - b.priority || a.costGpuMs - b.costGpuMs || a.site - b.site,
    );
  }

  /** Empties nodes of the site, the cheapest first, until enough of them can serve a task. */
  #makeRoom({ site, offers }: Goal): void {
    const typeSet = this.#whatIf.sites.typeSetOf(site);
    for (const { slot, victims } of offers) {
      if (this.#whatIf.nodesFit(site) >= this.#waiting.shape.nodes) return;
      if (!this.#whatIf.fits(slot, typeSet)) this.#empty(slot, typeSet, victims);
    }
  }

  /** Nodes that could be made to fit, with who would have to leave, the cheapest first. */
  #offers(typeSet: number): readonly Offer[] {
    const bySlot = new Map<NodeSlot, Tenant[]>();
    for (const candidate of this.#eligible) {
      for (const task of candidate.tasks) {
        const slot = this.#pass.later.slot(task.placement.nodeId);
        if (slot === undefined || !slot.isOffered || this.#whatIf.fits(slot, typeSet)) continue;
        const there = bySlot.get(slot);
        if (there === undefined) bySlot.set(slot, [{ candidate, task }]);
        else there.push({ candidate, task });
      }
    }
    const offers: Offer[] = [];
    for (const [slot, there] of bySlot) {
      const offer = this.#offer(slot, typeSet, there);
      if (offer !== null) offers.push(offer);
    }
    return offers.sort(compareOffers);
  }

  /** Null when not even all of them suffice. What leaves here is back before it returns. */
  #offer(slot: NodeSlot, typeSet: number, tenants: readonly Tenant[]): Offer | null {
    const left: HeldTask[] = [];
    let priority = Number.MIN_SAFE_INTEGER;
    let costGpuMs = 0;
    for (const { candidate, task } of tenants) {
      if (this.#whatIf.fits(slot, typeSet)) break;
      left.push(task);
      this.#whatIf.leave([task]);
      priority = Math.max(priority, candidate.priority);
      costGpuMs += Math.round(candidate.costGpuMs / this.#usefulNodes(candidate));
    }
    const isEnough = this.#whatIf.fits(slot, typeSet);
    this.#whatIf.stay(left);
    const victims = tenants.map(({ candidate }) => candidate);
    return isEnough ? { slot, victims, priority, costGpuMs } : null;
  }

  /** A gang that leaves may serve several tasks: each bears its part of the cost. */
  #usefulNodes(victim: Candidate): number {
    return Math.min(victim.tasks.length, this.#waiting.shape.nodes);
  }

  /** All or nothing: a node that can't be emptied within everyone's rights costs nobody. */
  #empty(slot: NodeSlot, typeSet: number, victims: readonly Candidate[]): void {
    const asked: Candidate[] = [];
    for (const victim of victims) {
      if (this.#whatIf.fits(slot, typeSet)) return;
      if (this.#chosen.has(victim) || !this.#mayTake(victim)) continue;
      this.#choose(victim);
      asked.push(victim);
    }
    if (!this.#whatIf.fits(slot, typeSet)) for (const victim of asked) this.#spare(victim);
  }

  /** Where a limit is in the way, those who leave must come from below it. */
  #makeQuota(): void {
    for (const candidate of this.#eligible) {
      const limited = this.#overQuota();
      if (limited === null) return;
      if (this.#chosen.has(candidate) || !isBelow(candidate, limited)) continue;
      if (this.#mayTake(candidate)) this.#choose(candidate);
    }
  }

  /** What still forbids it once those who were chosen have left. */
  #overQuota(): QuotaBlock | null {
    const { leaf, shape } = this.#waiting;
    return overQuota(
      leaf,
      shape,
      (queue, kind) => futureUse(queue, kind) - cutOf(this.#cut, queue, kind),
    );
  }

  #mayTake(candidate: Candidate): boolean {
    return rightOver(this.#waiting, candidate, this.#cut) !== null;
  }

  #choose(candidate: Candidate): void {
    this.#chosen.add(candidate);
    this.#whatIf.leave(candidate.tasks);
    addCut(this.#cut, candidate, 1);
  }

  #spare(candidate: Candidate): void {
    this.#chosen.delete(candidate);
    this.#whatIf.stay(candidate.tasks);
    addCut(this.#cut, candidate, -1);
  }
}

/** Would its leaving help? Where GPUs are not lent, whoever borrows instead may leave. */
function isBelow({ leaf, tasks }: Candidate, block: QuotaBlock): boolean {
  if (block.kind === "lending") return tasks.some(({ resources }) => resources.gpus > 0);
  const { queue, resource } = block;
  return leaf.lineage.includes(queue) && tasks.some((task) => task.resources[resource] > 0);
}

/** An eligible job on one node. */
interface Tenant {
  readonly candidate: Candidate;
  readonly task: HeldTask;
}

interface Offer {
  readonly slot: NodeSlot;
  /** All who are eligible there, in the order in which they are asked. */
  readonly victims: readonly Candidate[];
  /** Highest class among those who would have to leave. */
  readonly priority: number;
  readonly costGpuMs: number;
}

/** A site to empty for the gang. */
interface Goal {
  readonly site: number;
  /** Its nodes that could be made to fit, the cheapest first. */
  readonly offers: readonly Offer[];
  /** Of the cheapest that would suffice. */
  readonly priority: number;
  readonly costGpuMs: number;
}

/** Where only quota is in the way. */
const NO_ROOM_NEEDED: Goal = { site: 0, offers: [], priority: 0, costGpuMs: 0 };

/**
 * Class first, cost second: cheap work of a higher class is not traded for dear work of a lower.
 */
function compareOffers(a: Offer, b: Offer): number {
  return a.priority - b.priority || a.costGpuMs - b.costGpuMs || a.slot.order - b.slot.order;
}
