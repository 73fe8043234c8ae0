// The scheduler's disk: event rows and snapshots that survive a crash, as text, so that what comes
// back is only what a real disk would give back.

import { assert } from "../base/assert.ts";
import { apply, createState } from "../scheduler/core/apply.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import { decodeState, encodeState, type SnapshotRow } from "../scheduler/core/snapshot.ts";
import type { ClusterState, MutableClusterState } from "../scheduler/core/state.ts";

export class DurableLog {
  private readonly rows: string[] = [];
  private snapshot: { readonly seq: number; readonly rows: readonly string[] } | null = null;

  get lastSeq(): number {
    return this.rows.length;
  }

  append(rows: readonly string[]): void {
    for (const row of rows) this.rows.push(row);
  }

  writeSnapshot(state: ClusterState): void {
    assert(state.seq === this.rows.length, "a snapshot of what is not durable");
    this.snapshot = { seq: state.seq, rows: encodeLines(state) };
  }

  /** What a scheduler that starts now knows: the fold of every row. */
  fold(): MutableClusterState {
    const state = createState();
    this.foldTail(state);
    return state;
  }

  /** The same by way of the newest snapshot; null when there is none. */
  foldFromSnapshot(): MutableClusterState | null {
    if (this.snapshot === null) return null;
    const state = decodeState(this.snapshot.rows.map((row) => JSON.parse(row) as SnapshotRow));
    this.foldTail(state);
    return state;
  }

  *events(): Generator<LoggedEvent> {
    for (const row of this.rows) yield JSON.parse(row) as LoggedEvent;
  }

  private foldTail(state: MutableClusterState): void {
    for (const row of this.rows.slice(state.seq)) apply(state, JSON.parse(row) as LoggedEvent);
  }
}

/** The whole state as text: two states are equal when this is. */
export function encodeText(state: ClusterState): string {
  return encodeLines(state).join("\n");
}

function encodeLines(state: ClusterState): readonly string[] {
  return [...encodeState(state)].map((row) => JSON.stringify(row));
}
