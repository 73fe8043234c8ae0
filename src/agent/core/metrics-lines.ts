// Metrics from a task's output: a line that is one JSON object with an integer `step`. Every other
// number in it is a point of the metric of that name; one level of nesting joins names with `/`.
//
//   {"step": 120, "loss": 2.31, "eval": {"accuracy": 0.41}}   ->  loss, eval/accuracy
//
// Python writes NaN and Infinity bare, which is not JSON: a diverging loss is just what people want
// to see, so both that and the strings "NaN", "Infinity", "-Infinity" are taken. Booleans, null,
// other strings and arrays are no metrics. `timestamp_ms`, an integer, sets the points' time.

export interface MetricPoint {
  readonly metric: string;
  readonly step: number;
  readonly timestampMs: number;
  readonly value: number;
}

/** Longer lines are output, not metrics. */
export const METRIC_LINE_BYTES_MAX = 65_536;
const METRICS_PER_LINE_MAX = 256;
const METRIC_NAME = /^[\w\-./: ]{1,250}$/;

/** Points of one line of output, without its newline; empty when it holds none. */
export function parseMetricLine(line: string, nowMs: number): readonly MetricPoint[] {
  const start = line.indexOf("{");
  const end = line.lastIndexOf("}");
  if (start < 0 || end < start || !line.includes('"step"')) return [];
  // Ranks share one file, and Python writes a line and its newline separately: what two ranks
  // printed at once may lie on one line.
  const objects = line.slice(start, end + 1).split(/(?<=\})\s*(?=\{)/);
  return objects.flatMap((text) => pointsOf(parseObject(text), nowMs));
}

function parseObject(text: string): unknown {
  const strict = tryParse(text);
  if (strict !== undefined || !/NaN|Infinity/.test(text)) return strict;
  return tryParse(text.replace(BARE_NON_FINITE, '"$1"'));
}

const BARE_NON_FINITE = /(?<=[:,[]\s*)(-?Infinity|NaN)(?=\s*[,}\]])/g;

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function pointsOf(value: unknown, nowMs: number): readonly MetricPoint[] {
  if (!isRecord(value)) return [];
  const { step, timestamp_ms: timestamp, ...fields } = value;
  if (!isCount(step)) return [];
  const timestampMs = isCount(timestamp) ? timestamp : nowMs;
  const points: MetricPoint[] = [];
  for (const [metric, number] of numbersOf(fields)) {
    if (points.length === METRICS_PER_LINE_MAX) break;
    if (METRIC_NAME.test(metric)) points.push({ metric, step, timestampMs, value: number });
  }
  return points;
}

function* numbersOf(fields: Readonly<Record<string, unknown>>): Generator<[string, number]> {
  for (const [name, value] of Object.entries(fields)) {
    if (isRecord(value)) {
      for (const [inner, nested] of Object.entries(value)) {
        const number = asNumber(nested);
        if (number !== null) yield [`${name}/${inner}`, number];
      }
      continue;
    }
    const number = asNumber(value);
    if (number !== null) yield [name, number];
  }
}

function asNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  return value === "-Infinity" ? Number.NEGATIVE_INFINITY : null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
