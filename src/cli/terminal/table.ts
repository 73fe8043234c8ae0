// Plain columns that fit the terminal: first the flexible ones shrink, then the least important
// ones go. Without a terminal nothing is cut, so that scripts see everything. Pure.

import {
  displayWidth,
  padEnd,
  padStart,
  printable,
  truncate,
  truncateStart,
  wrap,
} from "./width.ts";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly isRight?: boolean;
  /** Shown only with `--output wide`. */
  readonly isWide?: boolean;
  /** May be cut down to so many cells. */
  readonly shrinkTo?: number;
  /** When cut, it loses its start: the end of a path says more. */
  readonly keepsEnd?: boolean;
  /** In the last column: what does not fit goes on below instead of being cut. */
  readonly isWrapped?: boolean;
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
  rows.forEach((row, at) => lines.push(...renderRow(row, grid[at] ?? [], fitting)));
  return `${lines.join("\n")}\n`;
}

function renderRow<Row>(
  row: Row,
  texts: readonly string[],
  fitting: readonly Sized<Row>[],
): readonly string[] {
  const last = fitting.at(-1);
  const painted = ({ column }: Sized<Row>, text: string): string =>
    column.paint === undefined ? text : column.paint(text, row);
  const cells = fitting.map((one) => {
    const cut = one.column.keepsEnd === true ? truncateStart : truncate;
    const text = cut(texts[one.index] ?? "", one.width);
    const isRagged = one === last && one.column.isRight !== true;
    return painted(one, isRagged ? text : aligned(one.column, text, one.width));
  });
  if (last?.column.isWrapped !== true) return [cells.join(GAP).trimEnd()];
  const before = cells.slice(0, -1);
  const indent = " ".repeat(totalWidth(fitting) - last.width);
  return wrap(texts[last.index] ?? "", last.width).map((text, line) => {
    const start = line === 0 ? [...before, ""].join(GAP) : indent;
    return (start + painted(last, text)).trimEnd();
  });
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
