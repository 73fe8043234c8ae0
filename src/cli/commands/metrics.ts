// `trainyard metrics JOB`: the newest values of what it logs, with the course of each.

import { integer, list, text } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import type { Cluster } from "../cluster.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jobReference, onlyJob } from "../job-reference.ts";
import { sparkline } from "../terminal/sparkline.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import { isoTime } from "../wire.ts";

interface MetricView {
  readonly name: string;
  readonly step: number;
  readonly at: string | null;
  readonly value: number;
  /** How many points the whole series has. */
  readonly total: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly series: { readonly step: readonly number[]; readonly value: readonly number[] };
}

/** Series that are fetched for one screen; the rest is named. */
const SERIES_MAX = 50;
const SPARK_CELLS = 32;

export const metrics = defineCommand({
  name: "metrics",
  summary: "Show the metrics of a job",
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  flags: {
    metric: option(list(text({ placeholder: "<name>" })), {
      name: "metric",
      short: "m",
      help: "Only this metric.",
      fallback: [],
      fallbackText: "none",
    }),
    points: option(integer({ min: 1, max: 100_000, unit: "of points" }), {
      name: "points",
      help: "Points of each series; extremes are kept.",
      fallback: 200,
    }),
  },
  examples: [
    { command: "trainyard metrics @last", says: "newest values and their course" },
    { command: "trainyard metrics job-42 -m loss", says: "one metric" },
    {
      command: "trainyard metrics job-42 -m loss --points 1000 --json | jq .items[0].series",
      says: "the points, for a plot of your own",
    },
  ],
  run: async ({ operands, flags, cluster, client, print }) => {
    const scheduler = await cluster();
    const word = await jobReference(operands[0] ?? "", scheduler, client);
    const job = onlyJob(await scheduler.getJob({ job: word }));
    const { metrics: latest } = await scheduler.latestMetrics({ runId: job.runId });
    const wanted = latest.filter(
      ({ name }) => flags.metric.length === 0 || flags.metric.includes(name),
    );
    const shown = wanted.slice(0, SERIES_MAX);
    const items = await Promise.all(
      shown.map((metric) => metricView(scheduler, job.runId, metric, flags.points)),
    );
    print.list({
      kind: "MetricList",
      items,
      columns,
      nameOf: (metric) => metric.name,
      whenEmpty: emptyText(job.id, flags.metric),
      extra: { jobId: job.id, runId: job.runId },
    });
    if (wanted.length > shown.length) {
      print.note(`${wanted.length - shown.length} more; name them with --metric.`);
    }
    return EXIT.ok;
  },
});

function emptyText(jobId: string, wanted: readonly string[]): string {
  if (wanted.length > 0) return `${jobId} has no metric ${wanted.join(", ")}.`;
  const how = 'JSON lines such as {"step": 1, "loss": 2.5} on stdout are picked up';
  return `${jobId} has logged no metrics yet; ${how}.`;
}

async function metricView(
  cluster: Cluster,
  runId: string,
  latest: { name: string; step: number; timestampMs: number; value: number },
  points: number,
): Promise<MetricView> {
  const series = await cluster.queryMetric({ runId, metric: latest.name, points });
  const finite = series.value.filter(Number.isFinite);
  return {
    name: latest.name,
    step: latest.step,
    at: isoTime(latest.timestampMs),
    value: latest.value,
    total: series.total,
    min: finite.length === 0 ? null : Math.min(...finite),
    max: finite.length === 0 ? null : Math.max(...finite),
    series: { step: series.step, value: series.value },
  };
}

function columns(style: Style): readonly Column<MetricView>[] {
  return [
    { title: "METRIC", cell: (metric) => metric.name, shrinkTo: 10, paint: style.bold },
    { title: "STEP", cell: (metric) => String(metric.step), isRight: true },
    { title: "VALUE", cell: (metric) => short(metric.value), isRight: true },
    { title: "MIN", cell: (metric) => short(metric.min), isRight: true, dropRank: 3 },
    { title: "MAX", cell: (metric) => short(metric.max), isRight: true, dropRank: 2 },
    { title: "POINTS", cell: (metric) => String(metric.total), isRight: true, isWide: true },
    {
      title: "COURSE",
      cell: (metric) => sparkline(metric.series.value, SPARK_CELLS),
      dropRank: 1,
      paint: style.accent,
    },
  ];
}

/** Five digits tell two values apart on a screen. */
function short(value: number | null): string {
  return value === null ? "-" : String(Number(value.toPrecision(5)));
}
