// Line charts as inline SVG. Owns scales, ticks and marks; colours and type come from the page's CSS
// (`--series-0` … and the classes of report.ts).

export interface ChartLine {
  readonly name: string;
  /** Which of the page's colours; the same series has the same one in every chart. */
  readonly colour: number;
  readonly style: "line" | "dashed" | "area";
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Scale {
  readonly kind: "linear" | "log";
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

export interface Chart {
  readonly title: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly lines: readonly ChartLine[];
  readonly width: number;
  readonly height: number;
}

const MARGIN = { left: 46, right: 28, top: 8, bottom: 22 } as const;

export function renderChart(chart: Chart): string {
  const { title, x, y, lines, width, height } = chart;
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const toX = (value: number): number => place(x, value, MARGIN.left, right);
  const toY = (value: number): number => place(y, value, bottom, MARGIN.top);
  const grid = y.ticks.map(({ at, label }) => {
    const level = fixed(toY(at));
    return (
      `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${level}" y2="${level}"/>` +
      `<text class="tick" x="${MARGIN.left - 6}" y="${level}" dy="0.32em" text-anchor="end">${label}</text>`
    );
  });
  const marks = x.ticks.map(({ at, label }) => {
    const level = fixed(toX(at));
    return (
      `<line class="mark" x1="${level}" x2="${level}" y1="${bottom}" y2="${bottom + 4}"/>` +
      `<text class="tick" x="${level}" y="${bottom + 16}" text-anchor="middle">${label}</text>`
    );
  });
  const axis = `<line class="axis" x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`;
  const shapes = lines.map((line) => renderLine(line, toX, toY, bottom));
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join("")}${axis}${marks.join("")}${shapes.join("")}</svg>`
  );
}

function renderLine(
  { name, colour, style, points }: ChartLine,
  toX: (value: number) => number,
  toY: (value: number) => number,
  bottom: number,
): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return "";
  const path = points.map(([x, y]) => `${fixed(toX(x))} ${fixed(toY(y))}`).join("L");
  const title = `<title>${escapeHtml(name)}</title>`;
  const stroke = `style="stroke:var(--series-${colour})"`;
  const line = `<path class="line ${style}" ${stroke} d="M${path}">${title}</path>`;
  if (style !== "area") return line;
  const closed = `M${fixed(toX(first[0]))} ${bottom}L${path}L${fixed(toX(last[0]))} ${bottom}Z`;
  return `<path class="fill" style="fill:var(--series-${colour})" d="${closed}"/>${line}`;
}

function place({ kind, min, max }: Scale, value: number, from: number, to: number): number {
  const inside = Math.min(max, Math.max(min, value));
  const part =
    kind === "log"
      ? (Math.log(inside) - Math.log(min)) / (Math.log(max) - Math.log(min))
      : (inside - min) / (max - min);
  return from + part * (to - from);
}

/** From 0 to the next round number over `largest` (1 where that is 0), in about so many steps. */
export function linearScale(largest: number, label: (value: number) => string, steps = 4): Scale {
  const most = largest > 0 ? largest : 1;
  const rough = most / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10);
  const max = Math.ceil(most / step - 1e-9) * step;
  // Multiples, rounded: sums of 0.2 come to 0.6000000000000001.
  const ticks = Array.from({ length: Math.round(max / step) + 1 }, (_, n) => {
    const at = Number((n * step).toPrecision(12));
    return { at, label: label(at) };
  });
  return { kind: "linear", min: 0, max, ticks };
}

const DURATIONS: readonly (readonly [hours: number, label: string])[] = [
  [1 / 3_600, "≤ 1 s"],
  [10 / 3_600, "10 s"],
  [1 / 60, "1 min"],
  [1 / 6, "10 min"],
  [1, "1 h"],
  [10, "10 h"],
  [100, "100 h"],
  [1_000, "1000 h"],
  [10_000, "10,000 h"],
];

/** Hours, from a second up to the decade that holds `largest`. */
export function durationScale(largest: number): Scale {
  const beyond = DURATIONS.findIndex(([hours]) => hours >= largest);
  const used = DURATIONS.slice(0, Math.max(3, beyond < 0 ? DURATIONS.length : beyond + 1));
  return {
    kind: "log",
    min: 1 / 3_600,
    max: used.at(-1)?.[0] ?? 1,
    ticks: used.map(([at, label]) => ({ at, label })),
  };
}

export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot" };
  return text.replaceAll(/[&<>"]/g, (char) => `&${names[char]};`);
}

/** A tenth of a pixel is more than anybody sees. */
function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
