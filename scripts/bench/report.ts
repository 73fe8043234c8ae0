// One result = one JSON line on stdout: what was measured, against which limit or peer, and whether it
// holds. Ratios are within one run; machines differ, so plain times are never compared across runs.

export interface Result {
  readonly bench: string;
  readonly value: number;
  readonly unit: string;
  /** What `value` is held against. */
  readonly limit?: { readonly atMost: number } | { readonly atLeast: number };
  /** Everything else that a reader wants: sizes, quantiles, the peer's figure. */
  readonly details?: Readonly<Record<string, number | string>>;
}

let failures = 0;

export function report(result: Result): void {
  const isOk = holds(result);
  if (!isOk) failures += 1;
  const { value, ...rest } = result;
  process.stdout.write(`${JSON.stringify({ ...rest, value: round(value), ok: isOk })}\n`);
}

/** How many results were outside their limit so far. */
export const failureCount = (): number => failures;

function holds({ value, limit }: Result): boolean {
  if (limit === undefined) return true;
  return "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Nearest-rank quantile of an unsorted list; q in 0..1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
