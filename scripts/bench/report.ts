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
  const { bench, value, unit, limit, details } = result;
  const line = { bench, value: round(value), unit, limit, ok: isOk, details: rounded(details) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A bench that gave no result: it broke (`ok: false`), or what it needs is not here. */
export function reportNone(bench: string, why: string, isOk: boolean): void {
  if (!isOk) failures += 1;
  process.stdout.write(`${JSON.stringify({ bench, ok: isOk, why })}\n`);
}

/** How many results were outside their limit so far. */
export const failureCount = (): number => failures;

/** Nearest-rank quantile of an unsorted list; q in 0..1. NaN of an empty list. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** A value that could not be measured (NaN) holds nothing. */
function holds({ value, limit }: Result): boolean {
  if (limit === undefined) return !Number.isNaN(value);
  return "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
}

const round = (value: number): number => Number(value.toPrecision(4));

function rounded(details: Result["details"]): Result["details"] {
  if (details === undefined) return undefined;
  const entries = Object.entries(details).map(([name, value]) => [
    name,
    typeof value === "number" ? (Number.isInteger(value) ? value : round(value)) : value,
  ]);
  return Object.fromEntries(entries);
}
