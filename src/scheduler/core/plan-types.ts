// What a planning pass proposes. Data only: `verifyPlan` checks it, `planEvents` turns it into events.

import type { CheckpointId, JobId, QueuePath } from "../../base/ids.ts";
import type { DropReason } from "./events.ts";
import type { Holds } from "./hold.ts";
import type { PreemptionKind, TaskPlacement } from "./job.ts";

export interface Start {
  readonly jobId: JobId;
  readonly placement: readonly TaskPlacement[];
  readonly resumeFrom: CheckpointId | null;
}

export interface Eviction {
  readonly victim: JobId;
  readonly how: PreemptionKind;
  /** Null for a drain. */
  readonly preemptor: JobId | null;
  /** Where an elastic job goes on with another size; empty = it waits again. */
  readonly next: readonly TaskPlacement[];
  /** One sentence for the victim's owner, with the numbers. */
  readonly why: string;
}

export interface PlannedReservation {
  readonly jobId: JobId;
  /** Proven: it fits once the victims are gone, and nothing else may use it. */
  readonly placement: readonly TaskPlacement[];
  readonly victims: readonly JobId[];
}

/**
 * What a pass found out that holds on: as long as nothing happens but that others come to wait,
 * another pass refuses again whom this one refused.
 */
export interface Findings {
  /** The event after which the pass was made: who came to wait since was not seen. */
  readonly seq: number;
  /** What queues are due, which follows from all who wait; see `QueueNode.dueGpus`. */
  readonly dues: ReadonlyMap<QueuePath, number | null>;
  /** Who claims nodes, or would if anybody behind had found room. */
  readonly claimants: readonly JobId[];
  /** For whom room was kept until others have ended: of that nothing was written down. */
  readonly awaiting: ReadonlySet<JobId>;
  /** Was everybody looked at who might have gone ahead of claims? */
  readonly hasLookedAhead: boolean;
}

export interface Plan {
  readonly starts: readonly Start[];
  readonly evictions: readonly Eviction[];
  readonly reservations: readonly PlannedReservation[];
  /** Reservations that no longer hold (node lost, job gone), with the reason. */
  readonly drops: readonly { readonly jobId: JobId; readonly why: DropReason }[];
  /** One for each job that stays pending. */
  readonly holds: Holds;
  /** When to look again though nothing happened (backoff, patience, time limit); null = never. */
  readonly wakeAtMs: number | null;
  /** Good until `wakeAtMs`; null = not everybody was looked at. */
  readonly findings: Findings | null;
}
