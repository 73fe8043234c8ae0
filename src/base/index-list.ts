// Lists of indexes as people write them for job arrays: `0-99`, `1,3,5-9`, `0-100:10`.

/** Elements that one array may have. */
export const ARRAY_ELEMENTS_MAX = 10_000;

/** An index has six digits at most. */
const RANGE = /^(\d{1,6})(?:-(\d{1,6})(?::(\d{1,6}))?)?$/;

/**
 * The indexes, ascending; or, as text, what is wrong: an unknown form, a range that runs backwards,
 * an index twice, more than `ARRAY_ELEMENTS_MAX` of them.
 */
export function parseIndexes(text: string): readonly number[] | string {
  const indexes = new Set<number>();
  for (const part of text.split(",")) {
    const range = RANGE.exec(part.trim());
    if (range === null) return "is not a list of indexes such as 0-99, 1,3,5-9 or 0-100:10";
    const from = Number(range[1]);
    const to = Number(range[2] ?? from);
    const by = Number(range[3] ?? 1);
    if (to < from || by === 0) return `has the range ${part.trim()}, which is empty`;
    for (let index = from; index <= to; index += by) {
      if (indexes.has(index)) return `has index ${index} twice`;
      if (indexes.size === ARRAY_ELEMENTS_MAX) return `has more than ${ARRAY_ELEMENTS_MAX} indexes`;
      indexes.add(index);
    }
  }
  return [...indexes].sort((a, b) => a - b);
}
