// What the gRPC services need of the rest of the scheduler, as they need it. The writer loop, the
// event log and the object store are handed in by the composition root.

import type { ClockOffset } from "../base/clock-offset.ts";
import type { Refusal } from "../base/errors.ts";
import type { JobId, NodeId } from "../base/ids.ts";
import type { Accepted, Envelope } from "./core/commands.ts";
import type { LoggedEvent } from "./core/events.ts";
import type { Leftovers } from "./core/explain-when.ts";
import type { Hold } from "./core/hold.ts";
import type { ClusterState } from "./core/state.ts";

/** The one writer. */
export interface Brain {
  /** Resolves when what the command did is durable, or with why nothing was done. */
  execute(envelope: Envelope): Promise<Accepted | Refusal>;
  /** May be ahead of the disk by the commit under way: good for reading, not for acting. */
  state(): ClusterState;
  /** Why a pending job is not placed. */
  hold(jobId: JobId): Hold;
  /** By the last planning pass; null before the first. */
  leftovers(): Leftovers | null;
  /**
   * Calls `listener` with each batch of events once they are durable, before a later batch changes
   * the state: there, and only there, `state()` is what is on disk. The result ends it.
   */
  onCommitted(listener: (events: readonly LoggedEvent[]) => void): () => void;
  /** By the clock that dates the events. */
  nowMs(): number;
}

/** A job's own events, by an index of the log. */
export interface JobHistory {
  /** From `fromSeq` on, oldest first, at most `limit`. */
  read(jobId: JobId, fromSeq: number, limit: number): readonly LoggedEvent[];
}

/** Who is connected. */
export interface Connections {
  isConnected(nodeId: NodeId): boolean;
  /** How far its clock is ahead of ours; null while it is not connected or has not said. */
  clockOf(nodeId: NodeId): ClockOffset | null;
}
