// `trainyard explain JOB`: why it waits, with the numbers, or where it is.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jobReference } from "../job-reference.ts";
import { printable } from "../terminal/width.ts";
import { estimateView, sentencesText } from "../views/explanation-view.ts";
import { arrayView } from "../views/array-view.ts";
import { jobView } from "../views/job-view.ts";
import { isoTime, timeMs } from "../wire.ts";
import type { ExplainJobResponse__Output } from "../../rpc/gen/trainyard/v1/ExplainJobResponse.ts";

export const explain = defineCommand({
  name: "explain",
  aliases: ["why"],
  summary: "Say why a job waits, and what would start it",
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  flags: {},
  examples: [
    { command: "trainyard why @last", says: "why my newest job does not run yet" },
    {
      command: "trainyard explain job-42 --json | jq .estimate.p50Seconds",
      says: "in how many seconds it is likely to start",
    },
    {
      command: "trainyard explain job-42 --json | jq -r .hold.code",
      says: "the reason as a word, for a script",
    },
  ],
  run: async ({ operands, cluster, client, print }) => {
    const scheduler = await cluster();
    const job = await jobReference(operands[0] ?? "", scheduler, client);
    const reply = await scheduler.explainJob({ job });
    const view = subjectOf(reply);
    if (view === null) return EXIT.notFound;
    const { lines, position, ahead, remedy, preemptions } = reply;
    const { style } = print;
    print.one({
      kind: "Explanation",
      name: view.hold?.code ?? view.phase,
      value: {
        jobId: view.id,
        name: view.name,
        phase: view.phase,
        hold: view.hold,
        lines,
        position,
        ahead,
        remedy,
        estimate: estimateView(reply.estimate),
        preemptions,
        preemptsFrom: isoTime(timeMs(reply.preemptsFrom)),
      },
      text: () => {
        const code = view.hold === null ? "" : `  ${style.warn(view.hold.code)}`;
        const name = printable(view.name);
        const title = `${style.bold(view.id)}  ${name}  ${style.phase(view.phase)}${code}`;
        const told = sentencesText({ lines, remedy }, print);
        return `${[title, ...told].join("\n")}\n`;
      },
    });
    return EXIT.ok;
  },
});

/** The job or the array that was asked for. */
function subjectOf({ job, array }: ExplainJobResponse__Output) {
  if (job !== null) return jobView(job);
  return array === null ? null : { ...arrayView(array), phase: "ARRAY" };
}
