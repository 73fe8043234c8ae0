// The candidates of one pass in groups over whom a waiting job has the same right: thousands of waiting
// jobs ask, so each is answered by a look at every group, not at every candidate. Owns no rule; those
// are in victims.ts.

import type { WaitingJob } from "./order.ts";
import type { QueueNode } from "./queue-tree.ts";
import { type Candidate, compareCandidates, mayTakeFromOthers, rightOver } from "./victims.ts";

/** Candidates of one leaf queue, class, level and size, all left alone or none. */
interface Group {
  readonly sample: Candidate;
  readonly members: Candidate[];
  isSorted: boolean;
}

export class Roster {
  readonly #groups = new Map<QueueNode, Map<string, Group>>();

  constructor(candidates: Iterable<Candidate>) {
    for (const candidate of candidates) this.#add(candidate);
  }

  /** Those over whom the job has a right while nobody else leaves, in the order of asking. */
  over(waiting: WaitingJob): readonly Candidate[] {
    const rightful: Candidate[] = [];
    for (const group of this.#near(waiting)) {
      if (rightOver(waiting, group.sample, new Map()) === null) continue;
      for (const candidate of sorted(group)) rightful.push(candidate);
    }
    // Few runs that are in order already: close to linear.
    return rightful.sort(compareCandidates);
  }

  /** Without a right over others there is only the own queue. */
  *#near(waiting: WaitingJob): Iterable<Group> {
    if (!mayTakeFromOthers(waiting)) {
      yield* this.#groups.get(waiting.leaf)?.values() ?? [];
      return;
    }
    for (const groups of this.#groups.values()) yield* groups.values();
  }

  #add(candidate: Candidate): void {
    const { leaf, priority, level, gpus, isLeftAlone } = candidate;
    let groups = this.#groups.get(leaf);
    if (groups === undefined) this.#groups.set(leaf, (groups = new Map()));
    const key = `${priority}|${level}|${gpus}|${isLeftAlone}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { sample: candidate, members: [candidate], isSorted: true });
      return;
    }
    group.members.push(candidate);
    group.isSorted = false;
  }
}

function sorted(group: Group): readonly Candidate[] {
  if (!group.isSorted) group.members.sort(compareCandidates);
  group.isSorted = true;
  return group.members;
}
