// Means and quantiles of plain numbers.

/** 0 of nothing. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The smallest value that at least `share` (0..1) of all values do not exceed (nearest rank); 0 of
 * nothing. `sorted` ascends.
 */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? 0;
}

/** Not 0 of nothing but `lowest`. A spread of a large list would overflow the stack. */
export function largest(values: Iterable<number>, lowest = 0): number {
  let found = lowest;
  for (const value of values) if (value > found) found = value;
  return found;
}

export const ascending = (values: readonly number[]): readonly number[] =>
  [...values].sort((a, b) => a - b);
