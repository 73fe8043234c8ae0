// `trainyard checkpoint ls JOB` and `trainyard checkpoint sweep`.

import { flag } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jobReference } from "../job-reference.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import type { CheckpointView } from "../views/job-view.ts";
import { checkpointView } from "../views/job-view.ts";
import { counted, roughBytes, roughDuration } from "../wire.ts";

export const checkpointLs = defineCommand({
  name: "ls",
  summary: "List the checkpoints of a job",
  details: "Newest step first. A job resumes from the newest one that is committed.",
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  flags: {},
  examples: [
    { command: "trainyard checkpoint ls job-42", says: "what it could resume from" },
    {
      command: "trainyard checkpoint ls job-42 -o wide",
      says: "also how much was uploaded, and the manifest",
    },
  ],
  run: async ({ operands, cluster, client, print, io }) => {
    const scheduler = await cluster();
    const job = await jobReference(operands[0] ?? "", scheduler, client);
    const reply = await scheduler.listCheckpoints({ job });
    print.list({
      kind: "CheckpointList",
      items: reply.checkpoints.map(checkpointView),
      columns: (style) => columns(style, io.nowMs()),
      nameOf: (checkpoint) => checkpoint.id,
      whenEmpty: `${job} has committed no checkpoint yet.`,
    });
    return EXIT.ok;
  },
});

export const checkpointSweep = defineCommand({
  name: "sweep",
  summary: "Delete what jobs left in the object store and nothing needs",
  details: `Looks for objects that are older than a day and that no checkpoint and no job names: of jobs
that ended long ago or are forgotten, and code bundles; and for uploads to S3 of these that broke
off and nobody went on with. Of a job that has not ended it touches nothing. They are deleted after
the answer, 64 a second. The scheduler does the same by itself every day.`,
  operands: [],
  flags: {
    dryRun: option(flag(), {
      name: "dry-run",
      help: "Only say how much there is.",
      fallback: false,
    }),
  },
  examples: [
    { command: "trainyard checkpoint sweep --dry-run", says: "how much would go" },
    { command: "trainyard checkpoint sweep --timeout 10m", says: "of a store with many objects" },
  ],
  run: async ({ flags, cluster, print }) => {
    const scheduler = await cluster();
    const { objects, sizeBytes, uploads, isPartial } = await scheduler.sweepObjects(flags);
    const value = { objects, sizeBytes, uploads, isPartial, isDryRun: flags.dryRun };
    const more = isPartial ? " There are more: sweep again when these are gone." : "";
    const found = [
      ...(objects === 0 ? [] : [`${counted(objects, "object")} (${roughBytes(sizeBytes)})`]),
      ...(uploads === 0 ? [] : [counted(uploads, "unfinished upload")]),
    ];
    const fate = flags.dryRun ? "would be deleted" : "are being deleted";
    print.one({
      kind: "Sweep",
      name: "objects",
      value,
      text: () =>
        found.length === 0
          ? "Nothing needs to go.\n"
          : `${found.join(" and ")} that nothing needs ${fate}.${more}\n`,
    });
    return EXIT.ok;
  },
});

function columns(style: Style, nowMs: number): readonly Column<CheckpointView>[] {
  return [
    { title: "STEP", cell: (one) => String(one.step), isRight: true },
    { title: "TRY", cell: (one) => String(one.attempt), isRight: true },
    { title: "STATE", cell: (one) => one.state, paint: (text) => style.phase(text) },
    {
      title: "AGE",
      cell: (one) => (one.takenAt === null ? "-" : roughDuration(nowMs - Date.parse(one.takenAt))),
      isRight: true,
    },
    { title: "SIZE", cell: (one) => roughBytes(one.sizeBytes), isRight: true },
    {
      title: "UPLOADED",
      cell: (one) => roughBytes(one.uploadedBytes),
      isRight: true,
      isWide: true,
    },
    { title: "MANIFEST", cell: (one) => one.manifestDigest.slice(0, 12), isWide: true },
    { title: "CHECKPOINT", cell: (one) => one.id, shrinkTo: 12, dropRank: 1, paint: style.dim },
  ];
}
