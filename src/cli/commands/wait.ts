// `trainyard wait JOB…`: blocks until jobs have ended, and returns how.

import { DAY_MS } from "../../base/time.ts";
import { duration } from "../../config/kinds.ts";
import { optional } from "../../config/option.ts";
import { arrayElements } from "../array-elements.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jobExitCode, outcomeText } from "../job-outcome.ts";
import { jobReference } from "../job-reference.ts";
import { printable } from "../terminal/width.ts";
import { jobColumns } from "../views/job-table.ts";
import type { JobView } from "../views/job-view.ts";
import { hasEnded, jobView } from "../views/job-view.ts";
import { watchUntilEnded } from "../watch.ts";

export const wait = defineCommand({
  name: "wait",
  summary: "Wait until jobs have ended",
  details: `The exit code is that of the first job, in the order given, that did not succeed; 0 when
all did. An array means each of its jobs. Preempted jobs come back by themselves, so they have not ended.`,
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
    timeoutMs: optional(duration({ minMs: 1, maxMs: 20 * DAY_MS }), {
      name: "timeout",
      help: "Give up after so long, with exit code 124.",
    }),
  },
  withoutClient: ["timeout"],
  examples: [
    { command: "trainyard wait job-42 && ./evaluate", says: "go on only when it succeeded" },
    { command: "trainyard wait 42 43 44 --timeout 2h", says: "all three, at most two hours" },
  ],
  run: async ({ operands, flags, cluster, client, print, io }) => {
    const scheduler = await cluster();
    const limit = flags.timeoutMs === null ? null : AbortSignal.timeout(flags.timeoutMs);
    const signal = limit === null ? io.signal : AbortSignal.any([io.signal, limit]);
    const states = new Map<string, JobView>();
    for (const word of operands) {
      const job = await jobReference(word, scheduler, client);
      const reply = await scheduler.getJob({ job });
      const found = reply.array === null ? [] : await arrayElements(scheduler, reply.array.id);
      if (reply.job !== null) states.set(reply.job.id, jobView(reply.job));
      for (const element of found) states.set(element.id, element);
    }
    const hooks = {
      onJob: (job: JobView) => {
        states.set(job.id, job);
        if (hasEnded(job)) print.note(printable(outcomeText(job)));
      },
      onOutage: () => print.note("The scheduler does not answer; trying again."),
    };
    const ids = [...states.keys()];
    const isDone = (await watchUntilEnded(scheduler, ids, hooks, signal)) !== null;
    const jobs = [...states.values()];
    if (print.format !== "table") {
      print.list({
        kind: "JobList",
        items: jobs,
        columns: (style) => jobColumns(style, io.nowMs()),
        nameOf: (job) => job.id,
        whenEmpty: "",
        extra: { isTimeout: !isDone },
      });
    }
    if (isDone) return jobs.map(jobExitCode).find((code) => code !== 0) ?? EXIT.ok;
    if (io.signal.aborted) return EXIT.interrupted;
    const going = jobs.filter((job) => !hasEnded(job)).map((job) => job.id);
    print.note(`The time is over; not ended: ${going.join(", ")}.`);
    return EXIT.timeout;
  },
});
