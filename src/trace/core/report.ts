// The report of one or more simulations as one page of HTML that needs nothing else: figures side by
// side, what happened over time, and how waits and completion times are spread.

import { DAY_MS, HOUR_MS } from "../../base/time.ts";
import {
  type ChartLine,
  durationScale,
  escapeHtml,
  linearScale,
  renderChart,
  type Scale,
} from "./chart.ts";
import { completionHours, tenantFigures, waitHours } from "./measures.ts";
import type { Recorder, TenantSeries } from "./recorder.ts";
import { REPORT_STYLE } from "./report-style.ts";
import type { SimulatedPolicy } from "./request.ts";
import type { SimulationEnd } from "./simulation.ts";
import { ascending, largest } from "./stats.ts";
import { type ClusterShape, gpusOfCluster, clusterText } from "./cluster.ts";

export interface ReportedRun extends SimulatedPolicy {
  readonly end: SimulationEnd;
  readonly recorder: Recorder;
}

export interface ReportInput {
  /** What was simulated, for people. */
  readonly title: string;
  readonly cluster: ClusterShape;
  readonly runs: readonly ReportedRun[];
}

const WIDE = { width: 1_040, height: 240 } as const;
const HALF = { width: 510, height: 240 } as const;
const SMALL = { width: 335, height: 130 } as const;
const POINTS_MAX = 400;
const QUANTILES = 300;
const TENANTS_SHOWN = 12;
/** Of the style's; further series have them again, dashed. */
const COLOURS = 8;

export function renderReport(input: ReportInput): string {
  const { title, cluster, runs } = input;
  const what = `${escapeHtml(clusterText(cluster))}; ${runs[0]?.figures.jobs ?? 0} jobs`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}: trainyard simulate</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
<header><h1>${escapeHtml(title)}</h1><p>${what}</p></header>
${figuresTable(runs)}
${timeCharts(input)}
${spreadCharts(runs)}
${runs.map((run) => sharesSection(run, runs)).join("\n")}
</main>
</body>
</html>
`;
}

const GROUPS: Readonly<Record<string, readonly (readonly [field: string, label: string])[]>> = {
  Jobs: [
    ["jobs", "submitted"],
    ["finished", "finished"],
    ["avgJctHours", "completion time, mean, h"],
    ["p50JctHours", "median, h"],
    ["p99JctHours", "99 %, h"],
    ["makespanHours", "all done after, h"],
    ["utilization", "GPUs held, part of all"],
  ],
  "First wait": [
    ["avgWaitHours", "mean, h"],
    ["p99WaitHours", "99 %, h"],
    ["avgWaitHoursLarge", "mean from 8 GPUs on, h"],
    ["worstTenantAvgWaitHours", "mean of the worst tenant, h"],
  ],
  Preemption: [
    ["preemptions", "preemptions"],
    ["maxPreemptionsOfOneJob", "most of one job"],
    ["lostGpuHours", "GPU hours lost"],
    ["thrash", "for nothing"],
  ],
  Fairness: [
    ["finishTimeFairnessWorst", "worst finish-time fairness ρ"],
    ["unfairJobsPercent", "jobs with ρ > 1, %"],
    ["shareErrorMax", "worst share against due, 24 h"],
  ],
  Planning: [
    ["decisions", "decisions"],
    ["passMsP50", "pass, median, ms"],
    ["passMsP99", "pass, 99 %, ms"],
    ["wallSeconds", "simulated in, s"],
    ["digest", "digest"],
  ],
};

function figuresTable(runs: readonly ReportedRun[]): string {
  const names = runs
    .map(({ policy }, at) => `<th>${swatch(at)}${escapeHtml(policy)}</th>`)
    .join("");
  const head = runs.length > 1 ? names : runs.map(() => "<th></th>").join("");
  const groups = Object.entries(GROUPS).map(([group, fields]) => {
    const rows = fields.map(([field, label]) => {
      const cells = runs.map(({ figures }) => `<td>${shown(Reflect.get(figures, field))}</td>`);
      return `<tr><th scope="row">${label}</th>${cells.join("")}</tr>`;
    });
    return `<tbody><tr><th class="group">${group}</th>${head}</tr>${rows.join("")}</tbody>`;
  });
  // Several policies are read across: one table, so that each has a column of its own.
  const tables = runs.length > 1 ? [groups.join("")] : groups;
  const shownTables = tables.map((rows) => `<table>${rows}</table>`).join("");
  return section("Figures", `<div class="tables">${shownTables}</div>`);
}

function shown(value: unknown): string {
  if (typeof value === "string") return `<code>${escapeHtml(value.slice(0, 12))}</code>`;
  if (typeof value !== "number") return "";
  const digits = value !== 0 && Math.abs(value) < 100 && !Number.isInteger(value) ? 2 : 0;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function timeCharts({ runs, cluster }: ReportInput): string {
  const x = timeScale(runs, 10);
  const utilization = runs.map((run, at) =>
    lineOf(run.policy, at, utilizationPoints(run.recorder, gpusOfCluster(cluster))),
  );
  const depth = runs.map((run, at) => lineOf(run.policy, at, depthPoints(run.recorder)));
  const deepest = largest(depth.flatMap(({ points }) => points.map(([, y]) => y)));
  const percent = linearScale(100, (value) => `${value}%`);
  const jobs = linearScale(deepest, (value) => value.toLocaleString("en-US"));
  return (
    section(
      "Utilization: GPUs held",
      legend(runs) +
        wide(renderChart({ title: "Utilization", x, y: percent, lines: utilization, ...WIDE })),
    ) +
    section(
      "Queue depth: jobs that wait",
      legend(runs) + wide(renderChart({ title: "Queue depth", x, y: jobs, lines: depth, ...WIDE })),
    )
  );
}

function spreadCharts(runs: readonly ReportedRun[]): string {
  const chart = (title: string, hoursOf: (run: ReportedRun) => readonly number[]): string => {
    const sorted = runs.map((run) => ascending(hoursOf(run)));
    const x = durationScale(largest(sorted.map((hours) => hours.at(-1) ?? 0)));
    const y = linearScale(100, (value) => `${value}%`);
    const lines = runs.map((run, at) => lineOf(run.policy, at, cumulative(sorted[at] ?? [])));
    return `<div><h3>${title}</h3>${legend(runs)}${renderChart({ title, x, y, lines, ...HALF })}</div>`;
  };
  const first = chart("First wait", ({ end }) => waitHours(end.works));
  const all = chart("Completion time", ({ end }) => completionHours(end.works));
  return section(
    "How many jobs wait, and take, at most so long",
    `<div class="halves">${first}${all}</div>`,
  );
}

/** What each tenant held against what was due to it. */
function sharesSection(run: ReportedRun, runs: readonly ReportedRun[]): string {
  const { recorder, end, policy } = run;
  const figures = tenantFigures(end.works, recorder, end.endedAtMs);
  const order = [...figures].sort((a, b) => b.gpuHours - a.gpuHours);
  const x = timeScale([run], 4);
  const charts = order
    .slice(0, TENANTS_SHOWN)
    .map(({ tenant, shareError, gpuHours, avgWaitHours }) => {
      const series = recorder.tenants.find((one) => one.tenant === tenant);
      if (series === undefined) return "";
      const error = shareError === null ? "" : `, share off by ${shown(shareError)}`;
      const caption = `${shown(gpuHours)} GPU h, wait ${shown(avgWaitHours)} h${error}`;
      const held = lineOf("held", 0, heldPoints(recorder, series), "area");
      const due = lineOf("due", 1, duePoints(recorder, series), "dashed");
      const most = largest([...held.points, ...due.points].map(([, gpus]) => gpus));
      const y = linearScale(most, String);
      const svg = renderChart({ title: tenant, x, y, lines: [held, due], ...SMALL });
      return `<figure><figcaption><b>${escapeHtml(tenant)}</b> ${caption}</figcaption>${svg}</figure>`;
    });
  const more = order.length > TENANTS_SHOWN ? ` (the ${TENANTS_SHOWN} largest)` : "";
  const name = runs.length > 1 ? `, ${escapeHtml(policy)}` : "";
  const key = `<p class="legend"><span>${swatch(0)}GPUs held</span><span>${swatch(1)}due</span></p>`;
  return section(
    `Share of each queue${name}${more}`,
    `${key}<div class="small">${charts.join("")}</div>`,
  );
}

/** On a narrow page it is moved sideways rather than made too small to read. */
const wide = (svg: string): string => `<div class="wide">${svg}</div>`;

type Points = readonly (readonly [x: number, y: number])[];

function lineOf(
  name: string,
  at: number,
  points: Points,
  style: ChartLine["style"] = at < COLOURS ? "line" : "dashed",
): ChartLine {
  return { name, colour: at % COLOURS, points, style };
}

function utilizationPoints({ sampledAtMs, tenants }: Recorder, gpus: number): Points {
  const held = sampledAtMs.map((_, at) =>
    tenants.reduce((sum, { receivedGpuMs }) => sum + (receivedGpuMs[at] ?? 0), 0),
  );
  return rate(sampledAtMs, held).map(([x, y]) => [x, (100 * y) / gpus]);
}

function depthPoints({ sampledAtMs, pendingJobs }: Recorder): Points {
  return thinned(sampledAtMs, (from, to) => largest(pendingJobs.slice(from, to)));
}

function heldPoints({ sampledAtMs }: Recorder, { receivedGpuMs }: TenantSeries): Points {
  return rate(sampledAtMs, receivedGpuMs);
}

function duePoints({ sampledAtMs }: Recorder, { dueMilliGpus }: TenantSeries): Points {
  return thinned(sampledAtMs, (from, to) => {
    const due = dueMilliGpus.slice(from, to);
    return due.reduce((sum, milli) => sum + milli, 0) / due.length / 1_000;
  });
}

/** Mean slope of a growing quantity between thinned samples. */
function rate(atMs: readonly number[], total: readonly number[]): Points {
  return thinned(atMs, (from, to) => {
    const end = Math.min(to, atMs.length - 1);
    const elapsedMs = (atMs[end] ?? 0) - (atMs[from] ?? 0);
    return elapsedMs === 0 ? 0 : ((total[end] ?? 0) - (total[from] ?? 0)) / elapsedMs;
  });
}

function thinned(atMs: readonly number[], valueOf: (from: number, to: number) => number): Points {
  const step = Math.max(1, Math.ceil(atMs.length / POINTS_MAX));
  const points: (readonly [number, number])[] = [];
  for (let from = 0; from < atMs.length; from += step) {
    points.push([atMs[from] ?? 0, valueOf(from, Math.min(atMs.length, from + step))]);
  }
  return points;
}

function cumulative(sorted: readonly number[]): Points {
  const count = Math.min(QUANTILES, sorted.length);
  return Array.from({ length: count }, (_, at) => {
    const rank = Math.ceil(((at + 1) / count) * sorted.length);
    return [sorted[rank - 1] ?? 0, (100 * rank) / sorted.length] as const;
  });
}

function timeScale(runs: readonly ReportedRun[], steps: number): Scale {
  const endMs = largest(
    runs.map(({ recorder }) => recorder.sampledAtMs.at(-1) ?? 0),
    1,
  );
  const [unitMs, unit] = endMs > 4 * DAY_MS ? [DAY_MS, "d"] : [HOUR_MS, "h"];
  const scale = linearScale(
    endMs / unitMs,
    (value) => `${Math.round(value * 10) / 10} ${unit}`,
    steps,
  );
  const ticks = scale.ticks.filter(({ at }) => at * unitMs <= endMs);
  return {
    ...scale,
    max: endMs,
    ticks: ticks.map(({ at, label }) => ({ at: at * unitMs, label })),
  };
}

function legend(runs: readonly ReportedRun[]): string {
  if (runs.length < 2) return "";
  const names = runs.map(({ policy }, at) => `<span>${swatch(at)}${escapeHtml(policy)}</span>`);
  return `<p class="legend">${names.join("")}</p>`;
}

function swatch(at: number): string {
  const again = at < COLOURS ? "" : ' class="again"';
  return `<i${again} style="--own:var(--series-${at % COLOURS})"></i>`;
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`;
}
