// `trainyard simulate`: what a policy would have made of a trace, on a cluster of any shape.

import { resolve } from "node:path";
import { choice, duration, flag, integer, path, text } from "../../config/kinds.ts";
import { option, optional } from "../../config/option.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import type { Invocation } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { usageError } from "../failure.ts";
import { LOCAL_ONLY } from "../local-only.ts";
import { counted } from "../wire.ts";
import {
  isPath,
  type SimulatedPolicy,
  type SimulateRequest,
  type WorkloadSource,
} from "../../trace/core/request.ts";
import type { Io } from "../io.ts";
import type { Column } from "../terminal/table.ts";

const column = (): ReturnType<typeof text> => text({ placeholder: "<column>" });

const FLAGS = {
  trace: optional(path("file"), { name: "trace", help: "CSV file with one job a line." }),
  workload: optional(text({ placeholder: "<name|file>" }), {
    name: "workload",
    help: "Made-up jobs: philly-like, itp-like, poisson, backlog, or a YAML file that describes them.",
  }),
  fromLog: optional(path("directory"), {
    name: "from-log",
    help: "The jobs of a cluster's own log, with what they ran: the scheduler's data folder or a file.",
  }),
  seed: option(integer({ min: 0, max: 4_294_967_295 }), {
    name: "seed",
    help: "Of made-up jobs: the same seed gives the same jobs.",
    fallback: 1,
  }),
  jobs: optional(integer({ min: 1, max: 10_000_000 }), {
    name: "jobs",
    help: "How many jobs to make up, if not as many as the description says.",
  }),
  nodes: optional(integer({ min: 1, max: 100_000 }), {
    name: "nodes",
    help: "Nodes of the simulated cluster. Default: 64, or as many as the log had.",
  }),
  gpusPerNode: optional(integer({ min: 1, max: 1_024 }), {
    name: "gpus-per-node",
    help: "GPUs of each. Default: 8, or as in the log.",
  }),
  cluster: optional(path("file"), {
    name: "cluster",
    help: "YAML file with the nodes of the simulated cluster, where they are not all alike.",
  }),
  policy: option(text({ placeholder: "<name|file>" }), {
    name: "policy",
    help: "A preset, or a policy file of the scheduler.",
    fallback: "default",
  }),
  compare: optional(text({ placeholder: "<name|file,...>" }), {
    name: "compare",
    help: "Run several policies on the same workload, side by side.",
  }),
  tenantColumn: optional(column(), {
    name: "tenant-column",
    help: "Column of the trace with the tenant: each gets a queue.",
  }),
  userColumn: optional(column(), { name: "user-column", help: "Column with the user." }),
  timeLimitColumn: optional(column(), {
    name: "time-limit-column",
    help: "Column with the time limit that the job stated, in seconds.",
  }),
  guarantee: option(choice(["equal", "demand", "none"]), {
    name: "guarantee",
    help: "How the cluster is split into the tenants' guarantees.",
    fallback: "equal",
  }),
  queues: optional(path("file"), {
    name: "queues",
    help: "Queues file of the scheduler, instead of a queue for each tenant.",
  }),
  checkpointIntervalMs: option(duration({ minMs: 0, maxMs: 365 * DAY_MS }), {
    name: "checkpoint-interval",
    help: "Running time between two checkpoints; 0 = none.",
    fallback: 30 * MINUTE_MS,
  }),
  restartCostMs: option(duration({ minMs: 0, maxMs: DAY_MS }), {
    name: "restart-cost",
    help: "What each start but a job's first costs before work goes on.",
    fallback: MINUTE_MS,
  }),
  stopMs: option(duration({ minMs: 0, maxMs: DAY_MS }), {
    name: "stop-time",
    help: "From the order to leave until a victim's GPUs are free.",
    fallback: 0,
  }),
  graceCheckpoint: option(flag(), {
    name: "grace-checkpoint",
    help: "Victims save their work before they leave, instead of losing it back to the last checkpoint.",
    fallback: false,
  }),
  passIntervalMs: option(duration({ minMs: 0, maxMs: DAY_MS }), {
    name: "pass-interval",
    help: "Shortest time between two planning passes; 0 = one after each change.",
    fallback: SECOND_MS,
  }),
  untilMs: optional(duration({ minMs: 1, maxMs: 36_500 * DAY_MS }), {
    name: "until",
    help: "End the simulation this long after the first submission.",
  }),
  skipOversize: option(flag(), {
    name: "skip-oversize",
    help: "Leave out jobs larger than the cluster instead of refusing the workload.",
    fallback: false,
  }),
  log: optional(path("file"), {
    name: "log",
    help: "Write the events of the run there, one a line, for `replay`.",
  }),
  html: optional(path("file"), {
    name: "html",
    help: "Write a report with plots there: one page that needs nothing else.",
  }),
} as const;

type Call = Invocation<typeof FLAGS>;

export const simulate = defineCommand({
  name: "simulate",
  summary: "Run a trace or a made-up workload through the scheduler in virtual time",
  details: `Runs the scheduler's own decisions on a simulated cluster and says how long jobs wait,
what is lost to preemption and how fair it is. docs/simulate.md tells what each figure means.`,
  withoutClient: LOCAL_ONLY,
  operands: [],
  flags: FLAGS,
  examples: [
    { command: "trainyard simulate --trace jobs.csv --nodes 64", says: "the default policy" },
    {
      command: "trainyard simulate --trace jobs.csv --tenant-column team --compare default,greedy",
      says: "two policies side by side",
    },
    {
      command: "trainyard simulate --trace jobs.csv --policy ./policy.yaml --json",
      says: "your own policy file, for a script",
    },
  ],
  run: async (call) => {
    const { print, flags } = call;
    const { leftOut, policies } = await call.ports.simulate(requestOf(call), call.io.signal);
    if (leftOut > 0) print.note(`${counted(leftOut, "job")} left out.`);
    if (print.isJson) print.text(`${JSON.stringify(valueOf(policies, flags.compare), null, 2)}\n`);
    else print.text(print.table(rowsOf(policies), columns(policies)));
    if (flags.html !== null) print.note(`${flags.html} written.`);
    return EXIT.ok;
  },
});

/** One policy: its figures. Several that were compared: a list of them with their names. */
function valueOf(policies: readonly SimulatedPolicy[], compare: string | null): object {
  const [first] = policies;
  if (compare === null && first !== undefined) return first.figures;
  return { policies: policies.map(({ policy, figures }) => ({ policy, ...figures })) };
}

function requestOf({ flags, io }: Call): SimulateRequest {
  const { nodes, gpusPerNode, checkpointIntervalMs, restartCostMs, stopMs } = flags;
  if (flags.cluster !== null && (nodes !== null || gpusPerNode !== null)) {
    throw usageError(
      "--cluster says which nodes there are, and so do --nodes and --gpus-per-node.",
      "Leave these out, or --cluster.",
      "cluster",
    );
  }
  const source = sourceOf(flags, io);
  const names = flags.compare?.split(",").map((name) => name.trim()) ?? [flags.policy];
  if (names.length > 1 && flags.log !== null) {
    throw usageError(
      "--log is of one policy, and --compare runs several.",
      "Leave one out.",
      "log",
    );
  }
  return {
    source,
    cluster: { path: flags.cluster, nodes, gpusPerNode },
    policies: names.map((name) => absolute(name, io)),
    guarantee: flags.guarantee,
    queuesPath: flags.queues,
    isOversizeSkipped: flags.skipOversize,
    work: { checkpointIntervalMs, restartCostMs, stopMs, savesOnStop: flags.graceCheckpoint },
    passIntervalMs: flags.passIntervalMs,
    untilMs: flags.untilMs,
    logPath: flags.log,
    htmlPath: flags.html,
  };
}

function sourceOf(flags: Call["flags"], io: Io): WorkloadSource {
  const { trace, workload, fromLog, seed, jobs } = flags;
  const named = [trace, workload, fromLog].filter((source) => source !== null);
  if (named.length !== 1) {
    const message = named.length === 0 ? "No workload is named." : "Two workloads are named.";
    throw usageError(message, "Give one of --trace, --workload and --from-log.", "trace");
  }
  if (workload !== null) {
    return { kind: "synthetic", name: absolute(workload, io), seed, jobs };
  }
  if (fromLog !== null) return { kind: "log", path: fromLog };
  const { tenantColumn, userColumn, timeLimitColumn } = flags;
  const columns = { tenantColumn, userColumn, timeLimitColumn };
  return { kind: "trace", path: trace ?? "", columns };
}

function absolute(name: string, io: Io): string {
  return isPath(name) ? resolve(io.host.cwd, name) : name;
}

interface Row {
  readonly field: string;
  readonly values: readonly (number | string)[];
}

function rowsOf(policies: readonly SimulatedPolicy[]): readonly Row[] {
  const fields = Object.keys(policies[0]?.figures ?? {});
  return fields.map((field) => ({
    field,
    values: policies.map(({ figures }) => Reflect.get(figures, field) as number | string),
  }));
}

function columns(policies: readonly SimulatedPolicy[]): readonly Column<Row>[] {
  const values = policies.map(
    ({ policy }, index): Column<Row> => ({
      title: policy.toUpperCase(),
      cell: ({ values: of }) => shown(of[index] ?? ""),
      isRight: true,
    }),
  );
  return [{ title: "FIGURE", cell: ({ field }) => field }, ...values];
}

function shown(value: number | string): string {
  if (typeof value === "string") return value.slice(0, 12);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
