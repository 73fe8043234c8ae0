// Plain columns that fit the terminal: first the flexible ones shrink, then the least important
// ones go. Without a terminal nothing is cut, so that scripts see everything. Pure.

import { displayWidth, padEnd, padStart, printable, truncate } from "./width.ts";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly isRight?: boolean;
  /** Shown only with `--output wide`. */
  readonly isWide?: boolean;
  /** May be cut down to so many cells. */
  readonly shrinkTo?: number;
  /** Left out on narrow terminals, the largest first; absent = always shown. */
  readonly dropRank?: number;
  /** Adds colour; gets the text already cut and padded. */
  readonly paint?: (text: string, row: Row) => string;
}

export interface TableOptions {
  /** Cells of a line; Infinity where there is no terminal. */
  readonly width: number;
  readonly isWide: boolean;
  readonly paintTitle: (text: string) => string;
}

const GAP = "  ";

/** Lines joined by and ended with a newline. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions,
): string {
  const wanted = columns.filter((column) => options.isWide || column.isWide !== true);
  const grid = rows.map((row) => wanted.map((column) => printable(column.cell(row))));
  const sized = wanted.map((column, index) => ({
    column,
    index,
    width: Math.max(
      ...[column.title, ...grid.map((cells) => cells[index] ?? "")].map(displayWidth),
    ),
  }));
  const fitting = fit(sized, options.width);
  const title = fitting.map(({ column, width }) =>
    aligned(column, truncate(column.title, width), width),
  );
  const lines = [options.paintTitle(title.join(GAP).trimEnd())];
  rows.forEach((row, at) => {
    const cells = fitting.map(({ column, index, width }, position) => {
      const text = truncate(grid[at]?.[index] ?? "", width);
      const isLast = position === fitting.length - 1 && column.isRight !== true;
      const padded = isLast ? text : aligned(column, text, width);
      return column.paint === undefined ? padded : column.paint(padded, row);
    });
    lines.push(cells.join(GAP).trimEnd());
  });
  return `${lines.join("\n")}\n`;
}

function aligned(column: { readonly isRight?: boolean }, text: string, width: number): string {
  return column.isRight === true ? padStart(text, width) : padEnd(text, width);
}

interface Sized<Row> {
  readonly column: Column<Row>;
  readonly index: number;
  readonly width: number;
}

function fit<Row>(sized: readonly Sized<Row>[], width: number): readonly Sized<Row>[] {
  const shrunk = shrink(sized, width);
  if (totalWidth(shrunk) <= width) return shrunk;
  const victim = sized.reduce<Sized<Row> | null>((worst, one) => {
    const rank = one.column.dropRank ?? 0;
    return rank > (worst?.column.dropRank ?? 0) ? one : worst;
  }, null);
  if (victim === null) return shrunk;
  return fit(
    sized.filter((one) => one !== victim),
    width,
  );
}

/** Takes what is too much from the columns that may shrink, from the widest first. */
function shrink<Row>(sized: readonly Sized<Row>[], width: number): readonly Sized<Row>[] {
  const result = sized.map((one) => ({ ...one }));
  let excess = totalWidth(result) - width;
  while (excess > 0) {
    const candidates = result.filter(
      (one) => one.width > (one.column.shrinkTo ?? Number.MAX_VALUE),
    );
    const widest = candidates.sort((a, b) => b.width - a.width || a.index - b.index)[0];
    if (widest === undefined) break;
    const floor = Math.max(widest.column.shrinkTo ?? 0, candidates[1]?.width ?? 0);
    const step = Math.min(excess, Math.max(1, widest.width - floor));
    widest.width -= step;
    excess -= step;
  }
  return result;
}

function totalWidth(sized: readonly { readonly width: number }[]): number {
  const gaps = Math.max(0, sized.length - 1) * GAP.length;
  return sized.reduce((sum, one) => sum + one.width, gaps);
}
