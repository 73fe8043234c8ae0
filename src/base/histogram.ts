// Counts of whole numbers in quarter octaves (quarter-octave.ts), for distributions that are learned:
// when there are many, all counts are halved, so that what is new outweighs what was.

import { endOfQuarterOctave, quarterOctave } from "./quarter-octave.ts";

export interface Histogram {
  /** By bucket. */
  readonly counts: readonly number[];
  readonly total: number;
}

/** Beyond `totalMax` all counts are halved. */
export function addToHistogram(
  known: Histogram | undefined,
  value: number,
  totalMax: number,
): Histogram {
  const bucket = quarterOctave(value);
  const counts = [...(known?.counts ?? [])];
  while (counts.length <= bucket) counts.push(0);
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  const total = (known?.total ?? 0) + 1;
  if (total <= totalMax) return { counts, total };
  const halved = counts.map((count) => count >> 1);
  return { counts: halved, total: halved.reduce((sum, count) => sum + count, 0) };
}

export function mergeHistograms(all: Iterable<Histogram>): Histogram {
  const counts: number[] = [];
  let total = 0;
  for (const one of all) {
    while (counts.length < one.counts.length) counts.push(0);
    one.counts.forEach((count, bucket) => {
      counts[bucket] = (counts[bucket] ?? 0) + count;
    });
    total += one.total;
  }
  return { counts, total };
}

/** How many there are in the bucket of `from` and beyond. */
export function countFrom({ counts }: Histogram, from: number): number {
  let beyond = 0;
  for (let at = quarterOctave(from); at < counts.length; at += 1) beyond += counts[at] ?? 0;
  return beyond;
}

/** A number that `permille` of those from the bucket of `from` on do not exceed. */
export function quantileBound(histogram: Histogram, from: number, permille: number): number {
  return endOfQuarterOctave(quantileOf(histogram, from, permille).bucket);
}

/** The same, as if those of a bucket were spread evenly over it; a fraction, at least `from`. */
export function quantileWithin(histogram: Histogram, from: number, permille: number): number {
  const { bucket, part } = quantileOf(histogram, from, permille);
  const begin = Math.max(from, bucket === 0 ? 0 : endOfQuarterOctave(bucket - 1));
  return begin + part * (endOfQuarterOctave(bucket) - begin);
}

/**
 * The best bargain among those from `from` on: if each goes on up to some bound and no further, the
 * sum of what they go on for, for each that ends by then; at the bound where that is least. Rounded
 * up, at least 1. There must be some in the bucket of `from` or beyond.
 */
export function leastPerEnd(histogram: Histogram, from: number): number {
  const { counts } = histogram;
  let staying = countFrom(histogram, from);
  let ended = 0;
  let spentTwice = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let bucket = quarterOctave(from); bucket < counts.length; bucket += 1) {
    const here = counts[bucket] ?? 0;
    if (here === 0) continue;
    const begin = Math.max(from, bucket === 0 ? 0 : endOfQuarterOctave(bucket - 1)) - from;
    const end = endOfQuarterOctave(bucket) - from;
    spentTwice += here * (begin + end); // As if spread evenly over the bucket.
    ended += here;
    staying -= here;
    least = Math.min(least, Math.ceil((spentTwice / 2 + staying * end) / ended));
  }
  return Math.max(1, least);
}

/** In which bucket that is, and in what part of it. */
function quantileOf(
  histogram: Histogram,
  from: number,
  permille: number,
): { readonly bucket: number; readonly part: number } {
  const { counts } = histogram;
  const wanted = countFrom(histogram, from) * permille;
  let passed = 0;
  for (let bucket = quarterOctave(from); bucket < counts.length; bucket += 1) {
    const here = counts[bucket] ?? 0;
    if (here > 0 && (passed + here) * 1_000 >= wanted) {
      return { bucket, part: (wanted / 1_000 - passed) / here };
    }
    passed += here;
  }
  return { bucket: Math.max(0, counts.length - 1), part: 1 };
}
