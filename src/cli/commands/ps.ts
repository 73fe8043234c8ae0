// `trainyard ps`: lists jobs, once or again and again.

import { choice, duration, flag, integer, list, text } from "../../config/kinds.ts";
import { option, optional } from "../../config/option.ts";
import { PHASE_NAMES } from "../../rpc/phase-names.ts";
import type { Cluster } from "../cluster.ts";
import { defineCommand } from "../command.ts";
import type { Invocation } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { isTransient, toFailure } from "../failure.ts";
import { pause } from "../io.ts";
import { jobColumns } from "../views/job-table.ts";
import type { JobView } from "../views/job-view.ts";
import { jobView } from "../views/job-view.ts";

const FLAGS = {
  all: option(flag(), {
    name: "all",
    short: "a",
    help: "Also jobs that have ended.",
    fallback: false,
  }),
  mine: option(flag(), { name: "mine", short: "m", help: "Only your own jobs.", fallback: false }),
  owner: optional(text({ placeholder: "<user>" }), {
    name: "owner",
    help: "Only jobs of this user.",
  }),
  queue: optional(text({ placeholder: "<queue>", completion: "queue" }), {
    name: "queue",
    help: "Only jobs of this queue and those below it.",
  }),
  array: optional(text({ placeholder: "<job>", completion: "job" }), {
    name: "array",
    help: "Only the jobs of this array, also ended ones.",
  }),
  phase: option(list(choice(PHASE_NAMES)), {
    name: "phase",
    help: "Only jobs in this phase.",
    fallback: [],
    fallbackText: "none",
  }),
  limit: option(integer({ min: 1, max: 100_000, unit: "of jobs" }), {
    name: "limit",
    short: "n",
    help: "The newest so many.",
    fallback: 100,
  }),
  watch: option(flag(), {
    name: "watch",
    short: "w",
    help: "Show it again and again until Ctrl-C.",
    fallback: false,
  }),
  intervalMs: option(duration({ minMs: 200, maxMs: 3_600_000 }), {
    name: "interval",
    help: "With --watch, how often.",
    fallback: 2_000,
  }),
} as const;

export const ps = defineCommand({
  name: "ps",
  summary: "List jobs",
  details: "Newest first. Without flags, every job that has not ended.",
  operands: [],
  flags: FLAGS,
  examples: [
    { command: "trainyard ps", says: "what runs and what waits" },
    { command: "trainyard ps -a --mine", says: "all my jobs, also ended ones" },
    { command: "trainyard ps --queue research -o wide", says: "a team's jobs, with more columns" },
    { command: "trainyard ps --array job-42", says: "the jobs of an array" },
    { command: "trainyard ps --phase PENDING --json", says: "for a script" },
    {
      command: "trainyard ps -a -o name --phase FAILED",
      says: "ids only, to feed another command",
    },
  ],
  run: async (call) => {
    const cluster = await call.cluster();
    if (!call.flags.watch) {
      const { jobs, isCut } = await fetchJobs(cluster, call);
      printJobs(call, jobs);
      if (isCut) call.print.note(`Only the newest ${jobs.length}; --limit shows more.`);
      return EXIT.ok;
    }
    return watch(cluster, call);
  },
});

type Call = Invocation<typeof FLAGS>;
const PAGE_MAX = 1000;

async function fetchJobs(
  cluster: Cluster,
  { flags, client }: Call,
): Promise<{ jobs: readonly JobView[]; isCut: boolean }> {
  const jobs: JobView[] = [];
  let token = "";
  do {
    const size = Math.min(PAGE_MAX, flags.limit - jobs.length);
    const reply = await cluster.listJobs({
      page: { size, token },
      queue: flags.queue ?? "",
      user: flags.mine ? client.user : (flags.owner ?? ""),
      phases: [...flags.phase],
      includeEnded: flags.all || flags.array !== null,
      array: flags.array ?? "",
    });
    jobs.push(...reply.jobs.map(jobView));
    token = reply.nextToken;
  } while (token !== "" && jobs.length < flags.limit);
  return { jobs, isCut: token !== "" };
}

function printJobs({ print, io, flags }: Call, jobs: readonly JobView[]): void {
  print.list({
    kind: "JobList",
    items: jobs,
    columns: (style) => jobColumns(style, io.nowMs()),
    nameOf: (job) => job.id,
    whenEmpty: flags.all ? "No jobs." : "No active jobs. `trainyard ps -a` shows ended ones.",
  });
}

const CLEAR = "\u001B[H\u001B[2J\u001B[3J";

/** Goes on when the scheduler is away for a while: that is when people watch. */
async function watch(cluster: Cluster, call: Call): Promise<number> {
  const { print, io, flags } = call;
  while (!io.signal.aborted) {
    try {
      drawJobs(call, (await fetchJobs(cluster, call)).jobs);
    } catch (error) {
      if (io.signal.aborted) break;
      if (!isTransient(error)) throw error;
      print.note(`${toFailure(error).message} Trying again.`);
    }
    await pause(flags.intervalMs, io.signal);
  }
  return EXIT.interrupted;
}

/** On a terminal the screen is drawn anew; elsewhere each listing follows the last. */
function drawJobs(call: Call, jobs: readonly JobView[]): void {
  const { print } = call;
  if (print.isJson) return print.jsonLine("JobList", { items: jobs });
  if (print.isTerminal) print.text(CLEAR);
  printJobs(call, jobs);
}
