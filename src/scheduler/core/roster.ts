// The candidates of one pass in groups over whom a waiting job has the same right: thousands of waiting
// jobs ask, so each is answered by a look at every group, not at every candidate. Owns no rule; those
// are in rights.ts.

import { type Candidate, compareCandidates } from "./candidate.ts";
import type { WaitingJob } from "./order.ts";
import type { QueueNode } from "./queue-tree.ts";
import { leastGiven, mayTakeFromOthers, NO_CUT, rightOver } from "./rights.ts";
import type { Candidates } from "./victims.ts";

/** Candidates of one leaf queue, class, level and size, all left alone or none. */
interface Group {
  readonly sample: Candidate;
  readonly members: Candidate[];
  isSorted: boolean;
}

export class Roster {
  readonly #candidates: Candidates;
  readonly #groups = new Map<QueueNode, readonly Group[]>();

  constructor(candidates: Candidates) {
    this.#candidates = candidates;
  }

  /** Those over whom the job has a right while nobody else leaves, in the order of asking. */
  over(waiting: WaitingJob): readonly Candidate[] {
    const rightful: Candidate[] = [];
    for (const leaf of this.#near(waiting)) {
      for (const group of this.#groupsOf(leaf)) {
        if (rightOver(waiting, group.sample, NO_CUT) === null) continue;
        for (const candidate of sorted(group)) rightful.push(candidate);
      }
    }
    // Few runs that are in order already: close to linear.
    return rightful.sort(compareCandidates);
  }

  /** Queues of whose jobs it might take some. */
  #near(waiting: WaitingJob): readonly QueueNode[] {
    const candidates = this.#candidates;
    const own = candidates.mayTakeWithin(waiting) ? [waiting.leaf] : [];
    if (!mayTakeFromOthers(waiting)) return own;
    const isNear = (leaf: QueueNode): boolean =>
      leaf !== waiting.leaf && candidates.mayTakeFrom(waiting, leaf);
    return [...own, ...candidates.leaves.filter(isNear)];
  }

  #groupsOf(leaf: QueueNode): readonly Group[] {
    let groups = this.#groups.get(leaf);
    if (groups === undefined) this.#groups.set(leaf, (groups = grouped(this.#candidates.of(leaf))));
    return groups;
  }
}

function grouped(candidates: readonly Candidate[]): readonly Group[] {
  const groups: Group[] = [];
  for (const candidate of candidates) {
    // There are few: a look at each costs less than a key for each candidate.
    const group = groups.find(({ sample }) => isAlike(sample, candidate));
    if (group === undefined) groups.push(createGroup(candidate));
    else group.members.push(candidate);
  }
  return groups;
}

const isAlike = (a: Candidate, b: Candidate): boolean =>
  a.priority === b.priority &&
  a.level === b.level &&
  a.gpus === b.gpus &&
  leastGiven(a) === leastGiven(b) &&
  a.isLeftAlone === b.isLeftAlone;

const createGroup = (sample: Candidate): Group => ({ sample, members: [sample], isSorted: false });

function sorted(group: Group): readonly Candidate[] {
  if (!group.isSorted) group.members.sort(compareCandidates);
  group.isSorted = true;
  return group.members;
}
