// A series as one line of eight heights. Pure.

const HEIGHTS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** At most `width` cells, each the mean of its part; values that are no numbers are left out. */
export function sparkline(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  const means = buckets(finite, width);
  const low = Math.min(...means);
  const high = Math.max(...means);
  return means
    .map((value) => {
      const height = high === low ? 3 : Math.round(((value - low) / (high - low)) * 7);
      return HEIGHTS[height] ?? "";
    })
    .join("");
}

function buckets(values: readonly number[], width: number): readonly number[] {
  if (values.length <= width) return values;
  return Array.from({ length: width }, (_, index) => {
    const from = Math.floor((index * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / width));
    const part = values.slice(from, to);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
