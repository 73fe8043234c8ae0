// Bounded concurrency: many items, few at a time.

/**
 * Runs `each` on every item, at most `limit` at once. After a failure nothing new is begun, what
 * runs is awaited (so that nobody works on behind the caller's back), and the first error is
 * thrown.
 */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  each: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | null = null;
  const work = async (): Promise<void> => {
    while (failure === null) {
      const next = queue.next();
      if (next.done === true) return;
      try {
        await each(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
  const failed = failure as { readonly error: unknown } | null;
  if (failed !== null) throw failed.error;
}

/** A counting semaphore: first come, first served. */
export interface Slots {
  /** Resolves with the function that gives the slot back; call it once. */
  acquire(): Promise<() => void>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    acquire: async () => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return release;
    },
  };
}
