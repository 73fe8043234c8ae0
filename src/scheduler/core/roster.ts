// The candidates of one pass in groups over whom a waiting job has the same right: thousands of waiting
// jobs ask, so each is answered by a look at every group, not at every candidate. Owns no rule; those
// are in victims.ts.

import type { WaitingJob } from "./order.ts";
import type { QueueNode } from "./queue-tree.ts";
import { type Candidate, hasReclaimRight, rightOver } from "./victims.ts";

/** Of one leaf queue and class, all with GPUs or all without. */
interface Group {
  /** Any of its members: what holds for one holds for all. */
  readonly sample: Candidate;
}

interface Member {
  readonly candidate: Candidate;
  readonly group: Group;
}

export class Roster {
  readonly #members: readonly Member[];
  readonly #groups = new Map<QueueNode, Map<string, Group>>();

  /** Keeps the order of `candidates`. */
  constructor(candidates: readonly Candidate[]) {
    this.#members = candidates.map((candidate) => ({ candidate, group: this.#groupOf(candidate) }));
  }

  /** Those over whom the job has a right while nobody else leaves, in their order. */
  over(waiting: WaitingJob): readonly Candidate[] {
    const rightful = new Set<Group>();
    for (const group of this.#near(waiting)) {
      if (rightOver(waiting, group.sample, new Map()) !== null) rightful.add(group);
    }
    if (rightful.size === 0) return [];
    return this.#members.flatMap(({ candidate, group }) => (rightful.has(group) ? candidate : []));
  }

  /** Without a right to reclaim there is only the own queue. */
  *#near(waiting: WaitingJob): Iterable<Group> {
    if (!hasReclaimRight(waiting)) {
      yield* this.#groups.get(waiting.leaf)?.values() ?? [];
      return;
    }
    for (const groups of this.#groups.values()) yield* groups.values();
  }

  #groupOf(candidate: Candidate): Group {
    const { leaf, priority, gpus } = candidate;
    let groups = this.#groups.get(leaf);
    if (groups === undefined) this.#groups.set(leaf, (groups = new Map()));
    const key = `${priority}|${gpus > 0}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { sample: candidate }));
    return group;
  }
}
