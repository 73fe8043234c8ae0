// `trainyard run`: hands a job in and stays with it. Ctrl-C leaves the job running.

import { duration, flag, integer } from "../../config/kinds.ts";
import { option, optional } from "../../config/option.ts";
import { DAY_MS } from "../../base/time.ts";
import type { Invocation } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { usageError } from "../failure.ts";
import { followJob } from "../follow.ts";
import { writeSlowly } from "../io.ts";
import { jobExitCode, outcomeText } from "../job-outcome.ts";
import { createLogWriter } from "../log-writer.ts";
import type { Submission } from "../submission.ts";
import { handIn, withSubmission } from "../submission.ts";
import { SUBMIT_FLAGS } from "../submit-flags.ts";
import { printable } from "../terminal/width.ts";
import type { JobView } from "../views/job-view.ts";
import { lastAttempt, placementText } from "../views/job-view.ts";

const FLAGS = {
  ...SUBMIT_FLAGS,
  rank: option(integer({ min: -1, max: 4095 }), {
    name: "rank",
    help: "Show the output of this node only; -1 = of all.",
    fallback: -1,
  }),
  noPrefix: option(flag(), {
    name: "no-prefix",
    help: "Do not put [rank] before the lines of jobs of several nodes.",
    fallback: false,
  }),
  timeoutMs: optional(duration({ minMs: 1000, maxMs: 20 * DAY_MS }), {
    name: "timeout",
    help: "Leave the job to itself after so long, with exit code 124.",
  }),
} as const;

export const run = defineCommand({
  name: "run",
  summary: "Hand in a job and stay with it: its output, its exit code",
  details: `Takes what \`submit\` takes. Output goes to stdout and stderr as the job writes it, also
after the job was preempted and came back elsewhere. Ctrl-C detaches: the job goes on.
The exit code is the job's own.`,
  operands: [
    { name: "target", help: "Job file or script.", isRequired: false, completion: "file" },
  ],
  rest: "args...",
  flags: FLAGS,
  withoutClient: ["timeout"],
  examples: [
    { command: "trainyard run train.py --gpus 2 -- --epochs 3", says: "watch a script train" },
    { command: "trainyard run --gpus 8 -- nvidia-smi", says: "one command on a whole node" },
    { command: "trainyard run job.yaml --rank 0", says: "only what the first node says" },
    { command: "trainyard run job.yaml --timeout 1h || echo $?", says: "124 after an hour" },
  ],
  run: async (call) => {
    const cluster = await call.cluster();
    const { submission, jobId } = await withSubmission(call, async (prepared) => {
      if (prepared.resolved.array !== null) {
        const remedy = "Hand it in with `trainyard submit`, then `trainyard wait` for it.";
        throw usageError("`run` stays with one job, not with an array.", remedy, "array");
      }
      const requestId = call.flags.idempotencyKey ?? call.io.newId();
      return { submission: prepared, jobId: (await handIn(cluster, prepared, requestId)).jobId };
    });
    call.print.note(`${jobId} ${submission.resolved.name} handed in; Ctrl-C leaves it running.`);
    return stay(call, submission, jobId);
  },
});

type Call = Invocation<typeof FLAGS>;

async function stay(call: Call, { resolved }: Submission, jobId: string): Promise<number> {
  const { io, flags, print } = call;
  const limit = flags.timeoutMs === null ? null : AbortSignal.timeout(flags.timeoutMs);
  const signal = limit === null ? io.signal : AbortSignal.any([io.signal, limit]);
  const isPrefixed = resolved.nodes > 1 && flags.rank < 0 && !flags.noPrefix;
  const writer = createLogWriter({
    isPrefixed,
    paint: print.style.dim,
    write: (stream, bytes) =>
      // JSON owns stdout.
      writeSlowly(stream === "stderr" || print.isJson ? io.stderr : io.stdout, bytes),
  });
  const job = await followJob(
    await call.cluster(),
    { jobId, rank: flags.rank, tailLines: 0, fromAttempt: 1 },
    {
      onJob: phaseNotes(call),
      onChunk: (chunk) => writer.chunk(chunk),
      onTrouble: (text) => print.note(text),
    },
    signal,
  );
  await writer.flush();
  if (job !== null) return ended(call, job);
  return detached(call, jobId, limit?.aborted === true && !io.signal.aborted);
}

function ended({ print }: Call, job: JobView): number {
  print.note(printable(outcomeText(job)));
  if (print.isJson) {
    print.one({ kind: "Job", name: job.id, value: job, text: () => "" });
  }
  return jobExitCode(job);
}

function detached({ print, io }: Call, jobId: string, isTimeout: boolean): number {
  io.stderr.write(
    `\n${isTimeout ? "The time is over" : "Detached"}; ${jobId} goes on.\n` +
      `  trainyard logs -f ${jobId}    follows it again\n` +
      `  trainyard cancel ${jobId}     ends it\n`,
  );
  if (print.isJson) print.one({ kind: "Detached", name: jobId, value: { jobId }, text: () => "" });
  return isTimeout ? EXIT.timeout : EXIT.interrupted;
}

/** One line for each change that a person waits for; repeats are left out. */
export function phaseNotes({ print }: Pick<Call, "print">): (job: JobView) => void {
  let said = "";
  return (job) => {
    const text = phaseNote(job);
    if (text === "" || text === said) return;
    said = text;
    print.note(print.style.isColoured ? print.style.dim(text) : text);
  };
}

function phaseNote(job: JobView): string {
  const attempt = lastAttempt(job);
  const where = placementText(attempt?.placement ?? []);
  switch (job.phase) {
    case "PENDING":
      return job.hold === null ? "" : `waits: ${job.hold.code}: ${printable(job.hold.message)}`;
    case "PLACED":
      return `placed on ${where}`;
    case "RUNNING": {
      const from = attempt?.resumeFrom === "" ? "" : `, from step ${attempt?.resumedFromStep ?? 0}`;
      return `runs on ${where}, attempt ${attempt?.number ?? 1}${from}`;
    }
    case "PREEMPTING":
    case "STOPPING":
      return `${job.phase.toLowerCase()}: ${printable(job.why)}`;
    default:
      return "";
  }
}
