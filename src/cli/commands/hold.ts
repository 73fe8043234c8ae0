// `trainyard hold JOB…` and `trainyard release JOB…`.

import { text } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { defineCommand } from "../command.ts";
import { actOnJobs } from "../job-act.ts";

const JOBS = {
  name: "job",
  help: "Ids, names or @last.",
  isRequired: true,
  isVariadic: true,
  completion: "job",
} as const;

export const hold = defineCommand({
  name: "hold",
  summary: "Keep waiting jobs from starting until they are released",
  details: `A held job stays pending and keeps its place. A job that runs can't be held; of an array
that is held, what runs goes on.`,
  operands: [JOBS],
  flags: {
    why: option(text({ placeholder: "<sentence>" }), {
      name: "why",
      help: "Reason that the job's owner will see.",
      fallback: "",
      fallbackText: "none",
    }),
  },
  examples: [
    { command: "trainyard hold job-42 --why 'data set is wrong'", says: "one job, or one array" },
    { command: "trainyard submit job.yaml --hold", says: "held from the beginning" },
  ],
  run: (call) =>
    actOnJobs(call, {
      kind: "HoldList",
      done: "held",
      act: (cluster, job) =>
        cluster.holdJob({ requestId: call.io.newId(), job, why: call.flags.why }),
    }),
});

export const release = defineCommand({
  name: "release",
  summary: "Let held jobs start",
  details: "Of an array, also its elements that are held one by one.",
  operands: [JOBS],
  flags: {},
  examples: [{ command: "trainyard release job-42", says: "one job, or one array" }],
  run: (call) =>
    actOnJobs(call, {
      kind: "ReleaseList",
      done: "released",
      act: (cluster, job) => cluster.releaseJob({ requestId: call.io.newId(), job }),
    }),
});
