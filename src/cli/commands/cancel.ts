// `trainyard cancel JOB…`: ends jobs, each independent of the others.

import { text } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Failure } from "../failure.ts";
import { toFailure } from "../failure.ts";
import { jobReference } from "../job-reference.ts";
import type { Column } from "../terminal/table.ts";

interface Outcome {
  readonly job: string;
  readonly isCancelled: boolean;
  readonly error: Failure | null;
}

export const cancel = defineCommand({
  name: "cancel",
  summary: "End jobs",
  details: "A running job gets a short grace to end by itself. Cancelled jobs do not come back.",
  operands: [
    {
      name: "job",
      help: "Ids, names or @last.",
      isRequired: true,
      isVariadic: true,
      completion: "job",
    },
  ],
  flags: {
    why: option(text({ placeholder: "<sentence>" }), {
      name: "why",
      help: "Reason that the job's owner will see.",
      fallback: "",
      fallbackText: "none",
    }),
  },
  examples: [
    { command: "trainyard cancel job-42", says: "one job" },
    { command: "trainyard cancel 42 43 sweep-a", says: "several, by number and by name" },
    {
      command: "trainyard ps --mine -o name | xargs trainyard cancel",
      says: "all of mine that have not ended",
    },
  ],
  run: async ({ operands, flags, cluster, client, print, io }) => {
    const scheduler = await cluster();
    const outcomes: Outcome[] = [];
    for (const word of operands) {
      try {
        const job = await jobReference(word, scheduler, client);
        const reply = await scheduler.cancelJob({ requestId: io.newId(), job, why: flags.why });
        outcomes.push({ job: reply.jobId, isCancelled: true, error: null });
      } catch (error) {
        // One job alone fails as any other command does.
        if (operands.length === 1) throw error;
        outcomes.push({ job: word, isCancelled: false, error: toFailure(error) });
      }
    }
    print.list({
      kind: "CancelList",
      items: outcomes,
      columns: () => COLUMNS,
      nameOf: (outcome) => outcome.job,
      whenEmpty: "",
    });
    return outcomes.find((outcome) => outcome.error !== null)?.error?.exitCode ?? EXIT.ok;
  },
});

const COLUMNS: readonly Column<Outcome>[] = [
  { title: "JOB", cell: (outcome) => outcome.job },
  {
    title: "RESULT",
    cell: (outcome) => outcome.error?.message ?? "cancelled",
    shrinkTo: 20,
    isWrapped: true,
  },
];
