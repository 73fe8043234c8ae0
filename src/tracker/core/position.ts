// Exactly once in the store, at least once on the wire: a source counts positions, a batch covers
// [from, to), and the store keeps how far each source has come, in the same transaction as the
// points. What a batch means then follows from three numbers.

export type Placement =
  /** Continues exactly where the source had come to. */
  | "store"
  /** Stored before: acknowledge again. */
  | "known"
  /** Overlaps what is stored or leaves a gap: the sender is to go on from the stored position. */
  | "rewind";

/** Requires 0 <= from <= to. A batch that covers nothing changes nothing. */
export function placeBatch(stored: number, from: number, to: number): Placement {
  if (to <= stored) return "known";
  return from === stored && to > from ? "store" : "rewind";
}
