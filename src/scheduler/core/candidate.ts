// A job that could be asked to leave, as searches for victims see it. Made in victims.ts.

import { compareJobIds } from "../../base/ids.ts";
import type { Job } from "./job.ts";
import type { HeldTask, Keeping } from "./pass.ts";
import type { QueueNode } from "./queue-tree.ts";

/** What a candidate would lose: its attempt, or only the room that is kept for it. */
export type Holding =
  | { readonly kind: "running" }
  | { readonly kind: "reserved"; readonly keeping: Keeping };

/** A job that could be asked to leave, or to give up its reservation. */
export interface Candidate {
  readonly job: Job;
  readonly holding: Holding;
  readonly leaf: QueueNode;
  readonly priority: number;
  readonly gpus: number;
  readonly tasks: readonly HeldTask[];
  /** How many of its tasks it can give up and go on: those beyond its least. Mostly 0. */
  readonly spare: number;
  /** Up to now. */
  readonly attainedGpuMs: number;
  /** Was preempted so often, or would lose so much, that only a better right moves it. */
  readonly isLeftAlone: boolean;
  /** See `lasLevel`; 0 for those who are left alone. */
  readonly level: number;
  /** Running time to be done again if it left now. */
  readonly lossMs: number;
  /** When its next checkpoint is due, going by the last two; null = nobody knows. */
  readonly savesAtMs: number | null;
  /**
   * What orders victims of a class: GPU time to be done again if it left now, and what its restart
   * costs. With `victimOrder` newest, how long it has had its place.
   */
  readonly costGpuMs: number;
  readonly placedAtMs: number;
  /** From here on it may be asked to leave: see `protectedMs`. */
  readonly isFairGameAtMs: number;
}

/** What a candidate gives: all that it holds, or, if it goes on smaller, some of its tasks. */
export interface Victim {
  readonly candidate: Candidate;
  readonly gives: readonly HeldTask[];
}

/**
 * The order in which they are asked: lower priority class first, inside a class least lost work
 * first, then the youngest.
 */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    a.priority - b.priority ||
    a.costGpuMs - b.costGpuMs ||
    b.placedAtMs - a.placedAtMs ||
    compareJobIds(a.job.id, b.job.id)
  );
}
