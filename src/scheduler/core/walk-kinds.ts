// What a walk over those who wait knows of each kind of them: who was refused, so that the others of
// the kind need not be tried. Most of a long queue is never looked at but for this.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import {
  type Head,
  priorityOf,
  strengthOf,
  turnLevel,
  type WaitingJob,
  type WaitingKind,
} from "./order.ts";
import type { Pass } from "./pass.ts";
import type { PendingGroup, PendingJob, PendingKind } from "./pending-groups.ts";
import type { QueueNode } from "./queue-tree.ts";
import { limitExceeded } from "./quota.ts";
import type { Shape } from "./shape.ts";
import type { ClusterState } from "./state.ts";

/** A kind of waiting jobs in one planning pass. `WalkKinds` alone changes it. */
export interface Kind extends WaitingKind {
  /** On some day, on these nodes and within these limits. */
  readonly isPossible: boolean;
  /** When its newest refusal was; -1 = none of it was. */
  refusedInRound: number;
  /** `Pass.laterVersion` at that time. */
  refusedAtLater: number;
  /** See `strengthOf`; of the strongest that was refused then. */
  refusedStrength: number;
  /** Was it refused beside claims? Only then may it fit on what they lend. */
  mayGoAhead: boolean;
}

/** Looks its job up where that is asked for: most are refused as others of their kind were. */
class Waiting implements WaitingJob {
  readonly id: JobId;
  readonly leaf: QueueNode;
  readonly shape: Shape;
  readonly priority: number;
  readonly sinceMs: number;
  readonly level: number;
  readonly isImpatient: boolean;
  readonly #state: ClusterState;

  constructor(
    state: ClusterState,
    { leaf, shape, priority }: WaitingKind,
    { id, sinceMs }: PendingJob,
    standing: Pick<WaitingJob, "level" | "isImpatient">,
  ) {
    this.#state = state;
    this.id = id;
    this.leaf = leaf;
    this.shape = shape;
    this.priority = priority;
    this.sinceMs = sinceMs;
    this.level = standing.level;
    this.isImpatient = standing.isImpatient;
  }

  get job(): Job {
    return jobOf(this.#state, this.id);
  }
}

export class WalkKinds {
  readonly #pass: Pass;
  readonly #isEverPlaceable: (shape: Shape) => boolean;
  readonly #kinds = new Map<PendingKind, Kind>();
  readonly #hasImpatient: boolean;
  #round = 0;

  constructor(pass: Pass, isEverPlaceable: (shape: Shape) => boolean) {
    this.#pass = pass;
    this.#isEverPlaceable = isEverPlaceable;
    const longest = pass.pending.bySince.first;
    this.#hasImpatient = longest !== undefined && this.#isImpatient(longest);
  }

  /** Those that were looked at. */
  get all(): Iterable<Kind> {
    return this.#kinds.values();
  }

  /** In another round those may fit who were refused. */
  beginRound(): void {
    this.#round += 1;
  }

  of(kind: PendingKind): Kind {
    let known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, (known = this.#create(kind)));
    return known;
  }

  /**
   * Would the group's job at that position be refused? So it is if one of the kind, no weaker than
   * this one, was refused in this round, with no more room to come since: what is free and what a
   * queue may still take only shrink.
   */
  isRefused(kind: Kind, group: PendingGroup, at: number): boolean {
    if (!kind.isPossible) return true;
    if (!this.#isAsRefused(kind)) return false;
    const level = turnLevel(kind.leaf.spec.order, group, this.#pass.policy);
    const most = strengthOf({ level, isImpatient: this.#hasImpatient });
    if (most >= kind.refusedStrength) return true;
    const entry = must(group.jobs.at(at), "a group has jobs");
    return strengthOf({ level, isImpatient: this.#isImpatient(entry) }) >= kind.refusedStrength;
  }

  /** Would every job of the kind be refused? See `isRefused`. */
  isAllRefused(kind: Kind): boolean {
    if (!kind.isPossible) return true;
    const most = strengthOf({ level: 0, isImpatient: this.#hasImpatient });
    return this.#isAsRefused(kind) && most >= kind.refusedStrength;
  }

  refuse(kind: Kind, strength: number, isBesideClaims: boolean): void {
    const isAgain = this.#isAsRefused(kind);
    kind.refusedStrength = isAgain ? Math.min(kind.refusedStrength, strength) : strength;
    kind.mayGoAhead = isBesideClaims && (!isAgain || kind.mayGoAhead);
    kind.refusedInRound = this.#round;
    kind.refusedAtLater = this.#pass.laterVersion;
  }

  /** The job that was handed out. */
  waitingOf(kind: Kind, { group, entry }: Head): WaitingJob {
    const level = turnLevel(kind.leaf.spec.order, group, this.#pass.policy);
    return new Waiting(this.#pass.state, kind, entry, {
      level,
      isImpatient: this.#isImpatient(entry),
    });
  }

  #create(kind: PendingKind): Kind {
    const { shape } = kind;
    const leaf = this.#pass.tree.queue(kind.queue);
    return {
      kind,
      leaf,
      shape,
      priority: priorityOf(kind.priorityClass, this.#pass.policy),
      isPossible: this.#isEverPlaceable(shape) && limitExceeded(leaf, shape) === null,
      refusedInRound: -1,
      refusedAtLater: 0,
      refusedStrength: 0,
      mayGoAhead: false,
    };
  }

  #isAsRefused({ refusedInRound, refusedAtLater }: Kind): boolean {
    return refusedInRound === this.#round && refusedAtLater === this.#pass.laterVersion;
  }

  #isImpatient({ sinceMs }: PendingJob): boolean {
    return this.#pass.nowMs - sinceMs >= this.#pass.policy.preemptionPatienceMs;
  }
}
