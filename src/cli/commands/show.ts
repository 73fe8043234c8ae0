// `trainyard show JOB`: everything about one job, attempt by attempt.

import { formatDuration } from "../../config/words.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jobReference } from "../job-reference.ts";
import { type ArrayView, arrayView, standing } from "../views/array-view.ts";
import type { Printer } from "../terminal/print.ts";
import type { Column } from "../terminal/table.ts";
import { padEnd, printable } from "../terminal/width.ts";
import type { AttemptView, JobView } from "../views/job-view.ts";
import { gpusText, jobView, placementText } from "../views/job-view.ts";
import { roughBytes, roughDuration } from "../wire.ts";

export const show = defineCommand({
  name: "show",
  summary: "Show all about one job",
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  flags: {},
  examples: [
    { command: "trainyard show job-42", says: "what it asked for, where it ran, how it ended" },
    { command: "trainyard show @last --json | jq .attempts", says: "its attempts, for a script" },
  ],
  run: async ({ operands, cluster, client, print, io }) => {
    const scheduler = await cluster();
    const job = await jobReference(operands[0] ?? "", scheduler, client);
    const reply = await scheduler.getJob({ job });
    if (reply.array !== null) return showArray(arrayView(reply.array), print, io.nowMs());
    if (reply.job === null) return EXIT.notFound;
    const view = jobView(reply.job);
    print.one({
      kind: "Job",
      name: view.id,
      value: view,
      text: () => describe(view, print, io.nowMs()),
    });
    return EXIT.ok;
  },
});

function showArray(array: ArrayView, print: Printer, nowMs: number): number {
  const { hold, parallel } = array;
  const facts: readonly (readonly [string, string])[] = [
    ["array", `${print.style.bold(array.id)}  ${printable(array.name)}`],
    ["jobs", standing(array)],
    ["indexes", array.indexes + (parallel === 0 ? "" : `, at most ${parallel} at once`)],
    ["waits", hold === null ? "" : `${hold.code}: ${printable(hold.message)}`],
    ["queue", array.queue],
    ["owner", `${array.user}@${array.tenant}`],
    ["submitted", when(array.submittedAt, nowMs)],
    ["see also", `\`trainyard ps --array ${array.id}\``],
  ];
  const text = (): string => factsText(facts, print);
  print.one({ kind: "JobArray", name: array.id, value: array, text });
  return EXIT.ok;
}

function describe(job: JobView, print: Printer, nowMs: number): string {
  const head = factsText(jobFacts(job, print, nowMs), print);
  if (job.attempts.length === 0) return head;
  return `${head}\n${print.table(job.attempts, attemptColumns(print, nowMs))}`;
}

function factsText(all: readonly (readonly [string, string])[], print: Printer): string {
  const facts = all.filter(([, value]) => value !== "");
  const width = Math.max(...facts.map(([title]) => title.length)) + 2;
  const lines = facts.map(([title, value]) => `${print.style.dim(padEnd(title, width))}${value}`);
  return `${lines.join("\n")}\n`;
}

function jobFacts(
  job: JobView,
  { style }: Printer,
  nowMs: number,
): readonly (readonly [string, string])[] {
  const { checkpoint, hold } = job;
  return [
    ["job", `${style.bold(job.id)}  ${printable(job.name)}`],
    [
      "phase",
      style.phase(job.phase) + (job.exitCode === null ? "" : `  exit code ${job.exitCode}`),
    ],
    ["why", printable(job.why)],
    ["array", job.array === null ? "" : `index ${job.array.index} of ${job.array.id}`],
    ["waits", hold === null ? "" : `${hold.code}: ${printable(hold.message)}`],
    ["queue", `${job.queue}  priority ${job.priority}`],
    ["owner", `${job.user}@${job.tenant}`],
    ["asks for", asked(job)],
    ["time limit", timeLimitText(job, nowMs)],
    ["to go", job.remainingSeconds === null ? "" : remainingText(job.remainingSeconds)],
    ["deadline", when(job.deadline, nowMs)],
    ["command", printable(job.command.join(" "))],
    ["submitted", when(job.submittedAt, nowMs)],
    ["ended", when(job.endedAt, nowMs)],
    [
      "checkpoint",
      checkpoint === null
        ? "none yet"
        : `step ${checkpoint.step}, ${roughBytes(checkpoint.sizeBytes)}, ${when(checkpoint.committedAt, nowMs)}`,
    ],
    ["GPU time", `${hours(job.gpuSeconds)}, of which lost ${hours(job.lostGpuSeconds)}`],
    [
      "interrupted",
      `${job.preemptions} preempted, ${job.nodeLosses} by lost nodes, ${job.failures} own failures`,
    ],
    ["run", job.runId],
  ];
}

const remainingText = (seconds: number): string =>
  `about ${roughDuration(seconds * 1_000)}, by its steps`;

/** With what is left of it while the job runs. */
function timeLimitText(job: JobView, nowMs: number): string {
  if (job.timeLimitSeconds === null) return "";
  const limitMs = job.timeLimitSeconds * 1_000;
  const runningAt = job.phase === "RUNNING" ? job.attempts.at(-1)?.runningAt : null;
  if (runningAt === null || runningAt === undefined) return formatDuration(limitMs);
  const leftMs = Math.max(0, Date.parse(runningAt) + limitMs - nowMs);
  return `${formatDuration(limitMs)}, ${roughDuration(leftMs)} left`;
}

function asked(job: JobView): string {
  const model = job.gpuTypes.length === 0 ? "" : ` ${job.gpuTypes.join(" or ")}`;
  const size = gpusText(job);
  const unit = size === "1" ? "GPU" : "GPUs";
  const what = job.gpusPerNode === 0 ? `${size} only` : `${size}${model} ${unit}`;
  const { topology, spot } = job;
  return [
    what,
    ...(topology === null ? [] : [`in one ${topology.level} (${topology.mode})`]),
    ...(spot === "" || spot === "allow" ? [] : [`spot nodes: ${spot}`]),
  ].join(", ");
}

function when(iso: string | null, nowMs: number): string {
  return iso === null ? "" : `${iso}  (${roughDuration(nowMs - Date.parse(iso))} ago)`;
}

function hours(seconds: number): string {
  return `${(seconds / 3600).toFixed(2)} h`;
}

function attemptColumns({ style }: Printer, nowMs: number): readonly Column<AttemptView>[] {
  return [
    { title: "TRY", cell: (attempt) => String(attempt.number), isRight: true },
    {
      title: "OUTCOME",
      cell: (attempt) => (attempt.outcome === "" ? "goes on" : attempt.outcome),
      paint: (text) => style.phase(text),
    },
    {
      title: "RAN",
      cell: (attempt) => roughDuration(ranMs(attempt, nowMs)),
      isRight: true,
    },
    {
      title: "FROM STEP",
      cell: (attempt) => (attempt.resumeFrom === "" ? "scratch" : String(attempt.resumedFromStep)),
      isRight: true,
      dropRank: 3,
    },
    {
      title: "EXIT",
      cell: (attempt) => (attempt.exit === null ? "" : String(attempt.exit.code)),
      isRight: true,
      dropRank: 4,
    },
    {
      title: "LOST GPU h",
      cell: (attempt) => (attempt.lostGpuSeconds / 3600).toFixed(2),
      isRight: true,
      isWide: true,
    },
    { title: "NODES", cell: (attempt) => placementText(attempt.placement), shrinkTo: 10 },
    { title: "WHY", cell: whyText, shrinkTo: 20, isWrapped: true, paint: style.dim },
  ];
}

function whyText(attempt: AttemptView): string {
  return attempt.why === "" ? (attempt.exit?.message ?? "") : attempt.why;
}

function ranMs(attempt: AttemptView, nowMs: number): number {
  if (attempt.runningAt === null) return 0;
  const end = attempt.endedAt === null ? nowMs : Date.parse(attempt.endedAt);
  return end - Date.parse(attempt.runningAt);
}
