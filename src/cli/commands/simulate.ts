// `trainyard simulate`: what a policy would have made of a trace, on a cluster of any shape.

import { resolve } from "node:path";
import { choice, duration, flag, integer, path, text } from "../../config/kinds.ts";
import { option, optional } from "../../config/option.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import type { Invocation } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { usageError } from "../failure.ts";
import type { SimulatedPolicy, SimulationRequest } from "../ports.ts";
import type { Column } from "../terminal/table.ts";

const column = (): ReturnType<typeof text> => text({ placeholder: "<column>" });

const FLAGS = {
  trace: optional(path("file"), { name: "trace", help: "CSV file with one job a line." }),
  nodes: option(integer({ min: 1, max: 100_000 }), {
    name: "nodes",
    help: "Nodes of the simulated cluster.",
    fallback: 64,
  }),
  gpusPerNode: option(integer({ min: 1, max: 1_024 }), {
    name: "gpus-per-node",
    help: "GPUs of each.",
    fallback: 8,
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
    help: "Plan at multiples of this; 0 = right after each change.",
    fallback: 30 * SECOND_MS,
  }),
  untilMs: optional(duration({ minMs: 1, maxMs: 36_500 * DAY_MS }), {
    name: "until",
    help: "End the simulation this long after the first submission.",
  }),
  skipOversize: option(flag(), {
    name: "skip-oversize",
    help: "Leave out jobs larger than the cluster instead of refusing the trace.",
    fallback: false,
  }),
} as const;

type Call = Invocation<typeof FLAGS>;

export const simulate = defineCommand({
  name: "simulate",
  summary: "Replay a trace through the scheduler in virtual time",
  details: `Runs the scheduler's own decisions on a simulated cluster and says how long jobs wait,
what is lost to preemption and how fair it is. docs/simulate.md tells what each figure means.`,
  withoutClient: ["context", "server", "tls", "ca", "tenant", "user", "project", "timeout"],
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
    const result = await call.ports.simulate(requestOf(call));
    if (result.skipped > 0) print.note(`${result.skipped} jobs larger than the cluster left out.`);
    if (print.isJson) {
      const one = result.policies[0];
      const isOne = flags.compare === null && one !== undefined;
      const value = isOne
        ? one.figures
        : { policies: result.policies.map(({ policy, figures }) => ({ policy, ...figures })) };
      print.text(`${JSON.stringify(value, null, 2)}\n`);
    } else print.text(print.table(rowsOf(result.policies), columns(result.policies)));
    return EXIT.ok;
  },
});

function requestOf({ flags, io }: Call): SimulationRequest {
  if (flags.trace === null) {
    throw usageError("No workload is named.", "Give --trace FILE.", "trace");
  }
  const { nodes, gpusPerNode, checkpointIntervalMs, restartCostMs, stopMs } = flags;
  const inFolder = (name: string): string =>
    /[/.]/.test(name) ? resolve(io.host.cwd, name) : name;
  const names = flags.compare?.split(",") ?? [flags.policy];
  return {
    tracePath: flags.trace,
    format: {
      file: flags.trace,
      cluster: { nodes, gpusPerNode },
      tenantColumn: flags.tenantColumn,
      userColumn: flags.userColumn,
      timeLimitColumn: flags.timeLimitColumn,
      isOversizeSkipped: flags.skipOversize,
    },
    cluster: { nodes, gpusPerNode },
    policies: names.map(inFolder),
    guarantee: flags.guarantee,
    queuesPath: flags.queues,
    work: { checkpointIntervalMs, restartCostMs, stopMs, savesOnStop: flags.graceCheckpoint },
    passIntervalMs: flags.passIntervalMs,
    untilMs: flags.untilMs,
  };
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
