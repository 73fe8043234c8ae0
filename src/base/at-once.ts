// Long work is a generator that pauses now and then, so that its caller can let others have a turn. Who
// has nobody to let in takes it whole.

/** Runs the work to its end. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
