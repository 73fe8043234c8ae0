// `trainyard cancel JOB…`: ends jobs, each independent of the others.

import { text } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { defineCommand } from "../command.ts";
import { actOnJobs } from "../job-act.ts";

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
    { command: "trainyard cancel job-42", says: "one job, or all of an array" },
    { command: "trainyard cancel job-42/7", says: "the job of an array with index 7" },
    { command: "trainyard cancel 42 43 sweep-a", says: "several, by number and by name" },
    {
      command: "trainyard ps --mine -o name | xargs trainyard cancel",
      says: "all of mine that have not ended",
    },
  ],
  run: (call) =>
    actOnJobs(call, {
      kind: "CancelList",
      done: "cancelled",
      act: (cluster, job) =>
        cluster.cancelJob({ requestId: call.io.newId(), job, why: call.flags.why }),
    }),
});
