// A process's metrics: one prom-client registry, filled by its owners, rendered at most once a second.
// Owns the text; knows no metric's meaning.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export type MetricsFormat = "prometheus" | "openmetrics";

export const METRICS_CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
};

/** How often the lag of the event loop is sampled: prom-client's own 10 ms would wake an idle agent for it. */
const LAG_SAMPLED_MS = 100;

/** Of prom-client's own; what they add up is there too, by type. */
const GAUGES_NAMED_AS_COUNTERS = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

/** Rendering thousands of series holds up the event loop, whoever asks how often. */
const RENDERED_MS_MAX = 1_000;

interface Rendered {
  readonly atMs: number;
  readonly text: Promise<string>;
}

export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #fillers: (() => void)[] = [];
  readonly #monotonicMs: () => number;
  #rendered: Rendered | null = null;

  /** `monotonicMs`: for the age of the rendered text. */
  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** What the process itself costs: CPU, memory, garbage collection, lag of its event loop. */
  measureProcess(): void {
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: LAG_SAMPLED_MS,
    });
    for (const name of GAUGES_NAMED_AS_COUNTERS) this.#registry.removeSingleMetric(name);
  }

  /** `fill` sets gauges and counters from the live state right before a rendering. */
  onScrape(fill: () => void): void {
    this.#fillers.push(fill);
  }

  gauge<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  histogram<L extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> {
    const names = [...labelNames];
    const registers = [this.#registry];
    return new Histogram({ name, help, buckets: [...buckets], labelNames: names, registers });
  }

  /** The text for one scrape; up to a second old. */
  async render(format: MetricsFormat): Promise<string> {
    const text = await this.#text();
    return format === "openmetrics" ? toOpenMetrics(text) : text;
  }

  #text(): Promise<string> {
    const atMs = this.#monotonicMs();
    if (this.#rendered !== null && atMs - this.#rendered.atMs < RENDERED_MS_MAX) {
      return this.#rendered.text;
    }
    for (const fill of this.#fillers) fill();
    const text = this.#registry.metrics();
    this.#rendered = { atMs, text };
    return text;
  }
}

/** Sets all series of a counter to what its owner has counted elsewhere. */
export function setCounter<L extends string>(
  counter: Counter<L>,
  series: Iterable<readonly [Partial<Record<L, string>>, number]>,
): void {
  counter.reset();
  for (const [labels, value] of series) counter.inc(labels, value);
}

/** Sets all series of a gauge; those that are not among them any more are gone. */
export function setGauge<L extends string>(
  gauge: Gauge<L>,
  series: Iterable<readonly [Partial<Record<L, string>>, number]>,
): void {
  gauge.reset();
  for (const [labels, value] of series) gauge.set(labels, value);
}

/**
 * The OpenMetrics text for a Prometheus text. Not prom-client's own: that renames the counters of the
 * registry itself, so that the next plain scrape has them without `_total`.
 */
export function toOpenMetrics(text: string): string {
  const counters = new Set<string>();
  for (const found of text.matchAll(/^# TYPE (\S+)_total counter$/gm)) counters.add(found[1] ?? "");
  const lines = text.split("\n").filter((line) => line !== "");
  const renamed = lines.map((line) =>
    line.replace(/^(# (?:TYPE|HELP) )(\S+)_total /, (whole, start: string, name: string) =>
      counters.has(name) ? `${start}${name} ` : whole,
    ),
  );
  return `${renamed.join("\n")}\n# EOF\n`;
}
