// `trainyard events JOB`: what happened to it, oldest first.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jobReference } from "../job-reference.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import { isoTime, roughDuration, timeMs } from "../wire.ts";

interface EventView {
  readonly seq: number;
  readonly at: string | null;
  /** Seconds since the first event. */
  readonly sinceStartSeconds: number;
  readonly actor: string;
  readonly kind: string;
  readonly message: string;
}

export const events = defineCommand({
  name: "events",
  summary: "Show what happened to a job, as a timeline",
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  flags: {},
  examples: [
    { command: "trainyard events @last", says: "submitted, placed, preempted by whom, resumed" },
    {
      command: "trainyard events job-42 --json | jq '.items[-1]'",
      says: "the newest, for a script",
    },
  ],
  run: async ({ operands, cluster, client, print }) => {
    const scheduler = await cluster();
    const job = await jobReference(operands[0] ?? "", scheduler, client);
    const reply = await scheduler.listJobEvents({ job });
    const startMs = timeMs(reply.events[0]?.at) ?? 0;
    const items = reply.events.map((event): EventView => {
      const atMs = timeMs(event.at);
      return {
        seq: event.seq,
        at: isoTime(atMs),
        sinceStartSeconds: ((atMs ?? startMs) - startMs) / 1000,
        actor: event.actor,
        kind: event.kind,
        message: event.message,
      };
    });
    print.list({
      kind: "JobEventList",
      items,
      columns,
      nameOf: (event) => String(event.seq),
      whenEmpty: `${job} has no events.`,
    });
    return EXIT.ok;
  },
});

function columns(style: Style): readonly Column<EventView>[] {
  return [
    { title: "TIME", cell: (event) => event.at?.slice(11, 23) ?? "", paint: style.dim },
    { title: "DATE", cell: (event) => event.at?.slice(0, 10) ?? "", isWide: true },
    {
      title: "AFTER",
      cell: (event) => `+${roughDuration(event.sinceStartSeconds * 1000)}`,
      isRight: true,
    },
    { title: "WHO", cell: (event) => event.actor, shrinkTo: 9, dropRank: 1 },
    { title: "WHAT", cell: (event) => event.kind, paint: style.accent },
    { title: "", cell: (event) => event.message, shrinkTo: 24, isWrapped: true },
  ];
}
