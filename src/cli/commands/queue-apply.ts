// `trainyard queue apply FILE`: sets the queues that a file names, all or none.

import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { flag } from "../../config/kinds.ts";
import { formatDuration, formatMemoryMib } from "../../config/words.ts";
import { option } from "../../config/option.ts";
import type { QueueSettings } from "../../config/queues-file.ts";
import { readYamlFile, type YamlFile } from "../../config/yaml-file.ts";
import { RefusalError } from "../../base/errors.ts";
import type { Invocation } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { refusalOf, usageError } from "../failure.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import type { QueueView } from "../views/queue-view.ts";
import { changedFields, type FieldChange, type Fields, fieldsText } from "../views/field-change.ts";
import { type OutlookView, outlookText, outlookView } from "../views/outlook-view.ts";
import { queueView } from "../views/queue-view.ts";
import { counted } from "../wire.ts";

type Change = "created" | "changed" | "unchanged" | "deleted";

interface ChangeView {
  readonly path: string;
  readonly change: Change;
  /** What would be, or was, changed. */
  readonly fields: readonly FieldChange[];
}

const FLAGS = {
  prune: option(flag(), {
    name: "prune",
    help: "Delete every queue that the file does not name.",
    fallback: false,
  }),
  yes: option(flag(), {
    name: "yes",
    short: "y",
    help: "Do not ask before deleting.",
    fallback: false,
  }),
  dryRun: option(flag(), {
    name: "dry-run",
    short: "n",
    help: "Show what would change, who would be preempted and who could never start.",
    fallback: false,
  }),
} as const;

export const queueApply = defineCommand({
  name: "apply",
  summary: "Set the queues that a file names",
  details: "The file holds the tree, all of which is set or none.",
  sample: `A queues file:
  queues:
    research:
      guarantee: 16        # GPUs that are its own whenever it asks
      limit: 32            # and never more than this
      queues:
        nlp: {weight: 2}   # twice the part of its sibling in what nobody is guaranteed
        vision: {}`,
  operands: [{ name: "file", help: "YAML file.", isRequired: true, completion: "file" }],
  flags: FLAGS,
  examples: [
    { command: "trainyard queue apply queues.yaml", says: "create and change" },
    { command: "trainyard queue apply queues.yaml --dry-run", says: "only show what would change" },
    { command: "trainyard queue apply queues.yaml --prune -y", says: "also delete the others" },
  ],
  run: async (call) => {
    const { parseQueues } = await import("../../config/queues-file.ts");
    const file = resolve(call.io.host.cwd, call.operands[0] ?? "");
    const yaml = await readYamlFile(file, { file, code: "QUEUE_INVALID" });
    const wanted = parseQueues(yaml);
    const cluster = await call.cluster();
    const { queues } = await cluster.listQueues({});
    const { prune, dryRun: isDryRun } = call.flags;
    const changes = compare(wanted, queues.map(queueView), prune);
    const request = { queues: wanted.map(withoutNulls), prune };
    let outlook: OutlookView | null = null;
    if (isDryRun) {
      const preview = await withPlace(yaml, cluster.previewQueues(request));
      outlook = outlookView(preview.outlook);
    } else {
      if (!(await isConfirmed(call, changes))) return EXIT.interrupted;
      await withPlace(yaml, cluster.applyQueues({ requestId: call.io.newId(), ...request }));
    }
    call.print.list({
      kind: "QueueChangeList",
      items: changes,
      columns,
      nameOf: (change) => change.path,
      whenEmpty: "The file names no queue.",
      extra: outlook === null ? { isDryRun } : { isDryRun, ...outlook },
    });
    if (outlook !== null && call.print.format === "table") call.print.text(outlookText(outlook));
    return EXIT.ok;
  },
});

/** What the scheduler refuses is told with its line of the file. */
async function withPlace<T>(yaml: YamlFile, asked: Promise<T>): Promise<T> {
  const { placeOfField } = await import("../../config/queues-file.ts");
  return asked.catch((error: unknown) => {
    const refusal = refusalOf(error);
    const place = refusal === null ? null : placeOfField(yaml, refusal.field);
    if (refusal === null || place === null) throw error;
    throw new RefusalError({ ...refusal, message: `${place} ${refusal.message}` });
  });
}

function compare(
  wanted: readonly QueueSettings[],
  present: readonly QueueView[],
  isPruning: boolean,
): readonly ChangeView[] {
  const before = new Map(present.map((queue) => [queue.path, queue]));
  const named = new Set(wanted.map((queue) => queue.path));
  const changes = wanted.map((queue): ChangeView => {
    const old = before.get(queue.path);
    const fields = changedFields(old === undefined ? {} : fieldsOf(old.spec), fieldsOf(queue));
    const change = old === undefined ? "created" : fields.length === 0 ? "unchanged" : "changed";
    return { path: queue.path, change, fields };
  });
  const gone = isPruning ? present.filter((queue) => !named.has(queue.path)) : [];
  return [
    ...changes,
    ...gone.map(({ path }): ChangeView => ({ path, change: "deleted", fields: [] })),
  ];
}

/** In the words of the file. */
function fieldsOf(queue: QueueSettings): Fields {
  const cpus = (milli: number | null): number | null => (milli === null ? null : milli / 1_000);
  const memory = (mib: number | null): string | null =>
    mib === null ? null : formatMemoryMib(mib);
  const { usageHalfLifeMs } = queue;
  return {
    guarantee: queue.guarantee,
    "guarantee.cpus": cpus(queue.guaranteeCpuMilli),
    "guarantee.memory": memory(queue.guaranteeMemoryMib),
    limit: queue.limit,
    "limit.cpus": cpus(queue.limitCpuMilli),
    "limit.memory": memory(queue.limitMemoryMib),
    borrowing_limit: queue.borrowingLimit,
    lending_limit: queue.lendingLimit,
    weight: queue.weight,
    order: queue.order,
    usage_half_life: usageHalfLifeMs === null ? null : formatDuration(usageHalfLifeMs),
  };
}

/** What is null is absent on the wire. */
function withoutNulls(queue: QueueSettings): object {
  return Object.fromEntries(Object.entries(queue).filter(([, value]) => value !== null));
}

/** Asks before deleting, on a terminal; elsewhere `--yes` must be given. */
async function isConfirmed(
  { flags, io }: Invocation<typeof FLAGS>,
  changes: readonly ChangeView[],
): Promise<boolean> {
  const gone = changes.filter(({ change }) => change === "deleted").map(({ path }) => path);
  if (gone.length === 0 || flags.yes) return true;
  const what = `Delete ${counted(gone.length, "queue")}: ${gone.join(", ")}`;
  if (io.stdin.isTTY !== true) {
    throw usageError(
      `--prune would delete ${gone.join(", ")}.`,
      "Say --yes if that is meant.",
      "prune",
    );
  }
  const prompt = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const answer = await prompt.question(`${what}? [y/N] `, { signal: io.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}

function columns(style: Style): readonly Column<ChangeView>[] {
  const paints = {
    created: style.good,
    changed: style.warn,
    unchanged: style.dim,
    deleted: style.bad,
  } as const;
  return [
    { title: "QUEUE", cell: (one) => one.path, shrinkTo: 20 },
    { title: "CHANGE", cell: (one) => one.change, paint: (text, one) => paints[one.change](text) },
    {
      title: "FIELDS",
      cell: ({ change, fields }) => (change === "changed" ? fieldsText(fields) : ""),
      shrinkTo: 20,
      isWrapped: true,
    },
  ];
}
