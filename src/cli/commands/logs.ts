// `trainyard logs JOB`: what its tasks wrote, once or live.

import { flag, integer } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import type { ReadLogsResponse__Output } from "../../rpc/gen/trainyard/v1/ReadLogsResponse.ts";
import type { Cluster } from "../cluster.ts";
import type { Invocation } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { followJob } from "../follow.ts";
import { writeSlowly } from "../io.ts";
import { jobReference, onlyJob } from "../job-reference.ts";
import { createLogWriter } from "../log-writer.ts";
import { API_VERSION } from "../terminal/print.ts";
import type { JobView } from "../views/job-view.ts";
import { jobView, lastAttempt } from "../views/job-view.ts";
import { phaseNotes } from "./run.ts";

const FLAGS = {
  follow: option(flag(), {
    name: "follow",
    short: "f",
    help: "Go on until the job has ended, also over preemptions.",
    fallback: false,
  }),
  rank: option(integer({ min: -1, max: 4095 }), {
    name: "rank",
    short: "r",
    help: "Of this node of the gang; -1 = of all.",
    fallback: -1,
  }),
  tail: option(integer({ min: 0, max: 1_000_000, unit: "of lines" }), {
    name: "tail",
    short: "n",
    help: "The last lines of each node only; 0 = all.",
    fallback: 0,
  }),
  attempt: option(integer({ min: 0, max: 1_000_000 }), {
    name: "attempt",
    help: "Of this attempt; 0 = the newest.",
    fallback: 0,
  }),
  noPrefix: option(flag(), {
    name: "no-prefix",
    help: "Do not put [rank] before the lines of jobs of several nodes.",
    fallback: false,
  }),
} as const;

export const logs = defineCommand({
  name: "logs",
  summary: "Print the output of a job",
  details:
    "Ctrl-C ends the reading, not the job. With --output json --follow, one JSON value a line.",
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  flags: FLAGS,
  examples: [
    { command: "trainyard logs -f @last", says: "my newest job, live" },
    { command: "trainyard logs job-42 --rank 3 --tail 100", says: "the end of one node's output" },
    { command: "trainyard logs job-42 --attempt 1", says: "before it was preempted" },
  ],
  run: async (call) => {
    const cluster = await call.cluster();
    const word = await jobReference(call.operands[0] ?? "", cluster, call.client);
    const job = onlyJob(await cluster.getJob({ job: word }));
    const view = jobView(job);
    const sink = createSink(call, view);
    await sink.begin();
    if (call.flags.follow && call.flags.attempt === 0) await follow(cluster, call, view, sink);
    else await readOnce(cluster, call, view, sink);
    await sink.end();
    return call.io.signal.aborted ? EXIT.interrupted : EXIT.ok;
  },
});

type Call = Invocation<typeof FLAGS>;

async function follow(cluster: Cluster, call: Call, job: JobView, sink: Sink): Promise<void> {
  const { rank, tail } = call.flags;
  const options = {
    jobId: job.id,
    rank,
    tailLines: tail,
    fromAttempt: Math.max(1, lastAttempt(job)?.number ?? 1),
  };
  const hooks = {
    onJob: phaseNotes(call),
    onChunk: (chunk: ReadLogsResponse__Output) => sink.chunk(chunk),
    onTrouble: (text: string) => call.print.note(text),
  };
  await followJob(cluster, options, hooks, call.io.signal);
}

async function readOnce(cluster: Cluster, call: Call, job: JobView, sink: Sink): Promise<void> {
  const { rank, tail, attempt, follow: isFollow } = call.flags;
  const request = { job: job.id, attempt, rank, follow: isFollow, tailLines: tail };
  if (job.attempts.length === 0) {
    call.print.note(`${job.id} has not started yet; \`trainyard why ${job.id}\` says why.`);
    return;
  }
  for await (const chunk of cluster.readLogs(request, call.io.signal)) await sink.chunk(chunk);
}

interface Sink {
  begin(): Promise<void>;
  chunk(chunk: ReadLogsResponse__Output): Promise<void>;
  end(): Promise<void>;
}

function createSink(call: Call, job: JobView): Sink {
  return call.print.isJson ? jsonSink(call) : textSink(call, job);
}

function textSink({ flags, print, io }: Call, job: JobView): Sink {
  const writer = createLogWriter({
    isPrefixed: job.nodes > 1 && flags.rank < 0 && !flags.noPrefix,
    paint: print.style.dim,
    write: (_stream, bytes) => writeSlowly(io.stdout, bytes),
  });
  return {
    begin: async () => undefined,
    chunk: (chunk) => writer.chunk(chunk),
    end: () => writer.flush(),
  };
}

/** One value as a whole, written as it comes: a long log is never held in memory. */
function jsonSink({ flags, print, io }: Call): Sink {
  let count = 0;
  const item = (chunk: ReadLogsResponse__Output): object => ({
    ...chunk,
    data: chunk.data.toString("utf8"),
  });
  if (flags.follow) {
    return {
      begin: async () => undefined,
      chunk: async (chunk) => print.jsonLine("LogChunk", item(chunk)),
      end: async () => undefined,
    };
  }
  return {
    begin: () =>
      writeSlowly(io.stdout, `{"apiVersion":"${API_VERSION}","kind":"LogChunkList","items":[`),
    chunk: async (chunk) => {
      await writeSlowly(io.stdout, `${count === 0 ? "" : ","}\n${JSON.stringify(item(chunk))}`);
      count += 1;
    },
    end: () => writeSlowly(io.stdout, "\n]}\n"),
  };
}
