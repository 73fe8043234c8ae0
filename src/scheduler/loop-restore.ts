// How the loop's state goes into a snapshot, and how it gets the state at a start: the newest usable
// snapshot, then every event after it, folded by the same `apply` that runs live.

import { Fault } from "../base/errors.ts";
import { apply, createState } from "./core/apply.ts";
import { decodeState } from "./core/snapshot.ts";
import type { MutableClusterState } from "./core/state.ts";
import type { LoopStore } from "./loop-store.ts";
import { nextTurn } from "./loop-timers.ts";

export interface Restored {
  readonly state: MutableClusterState;
  /** 0 = none was used. */
  readonly snapshotSeq: number;
  /** How many events were folded on top of the snapshot. */
  readonly eventCount: number;
}

/** Throws `DATA_LOG_CORRUPT` when the log cannot be joined to a snapshot or has a bad row. */
export async function restore(store: LoopStore): Promise<Restored> {
  const loaded = store.snapshots.load(decodeState);
  const state = loaded?.value ?? createState();
  const snapshotSeq = state.seq;
  refuseGap(store.log.firstSeq, store.log.lastSeq, snapshotSeq);
  while (state.seq < store.log.lastSeq) {
    for (const event of store.log.readPage(state.seq + 1)) apply(state, event);
    await nextTurn(); // Signals and health checks are answered meanwhile.
  }
  return { state, snapshotSeq, eventCount: state.seq - snapshotSeq };
}

function refuseGap(firstSeq: number, lastSeq: number, snapshotSeq: number): void {
  const remedy = "Restore the whole data folder from a backup.";
  if (lastSeq < snapshotSeq) {
    throw new Fault(
      "DATA_LOG_CORRUPT",
      `The event log ends at ${lastSeq}, but there is a snapshot of event ${snapshotSeq}. ${remedy}`,
      { isRetryable: false },
    );
  }
  if (firstSeq > snapshotSeq + 1) {
    throw new Fault(
      "DATA_LOG_CORRUPT",
      `The event log starts at ${firstSeq}, since older events were trimmed, and no usable ` +
        `snapshot reaches up to it (newest: ${snapshotSeq}). ${remedy}`,
      { isRetryable: false },
    );
  }
}
