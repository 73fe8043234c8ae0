// ReadLogs and AttachJob: finds the nodes of a job's tasks and relays bytes between the client and
// their agents, no faster than the slower end.

import { type Refusal, RefusalError, refuse } from "../base/errors.ts";
import type { NodeId } from "../base/ids.ts";
import type { CallContext } from "../rpc/call-context.ts";
import { decodeList, decodeText, decodeWhole, reject } from "../rpc/decode.ts";
import type { AttachOpen__Output } from "../rpc/gen/trainyard/v1/AttachOpen.ts";
import type { AttachRequest__Output } from "../rpc/gen/trainyard/v1/AttachRequest.ts";
import type { AttachResponse } from "../rpc/gen/trainyard/v1/AttachResponse.ts";
import type { ChannelFrame__Output } from "../rpc/gen/trainyard/v1/ChannelFrame.ts";
import type { ReadLogsRequest__Output } from "../rpc/gen/trainyard/v1/ReadLogsRequest.ts";
import type { ReadLogsResponse } from "../rpc/gen/trainyard/v1/ReadLogsResponse.ts";
import type { TerminalSize__Output } from "../rpc/gen/trainyard/v1/TerminalSize.ts";
import { isRefusal } from "../rpc/status.ts";
import type { Sink } from "../rpc/streams.ts";
import type { Channel, ChannelPurpose } from "./channels.ts";
import { activeAttempt, type Job, type TaskPlacement } from "./core/job.ts";
import type { JobIndex } from "./service-job-index.ts";

export interface JobLogsParts {
  readonly index: JobIndex;
  readonly channels: {
    open(nodeId: NodeId, purpose: ChannelPurpose, signal: AbortSignal): Promise<Channel>;
  };
}

const ALL_RANKS = -1;
const TAIL_MAX = 1_000_000;

export class JobLogs {
  readonly #parts: JobLogsParts;

  constructor(parts: JobLogsParts) {
    this.#parts = parts;
  }

  /**
   * Also of an ended attempt: the agents keep its files. With every rank, what can be read comes
   * first.
   */
  async read(
    request: ReadLogsRequest__Output,
    replies: Sink<ReadLogsResponse>,
    context: CallContext,
  ): Promise<Refusal | undefined> {
    const tailLines = decodeWhole(request.tailLines, "tailLines", { min: 0, max: TAIL_MAX });
    const job = this.#parts.index.resolve(request.job, context.caller);
    if (isRefusal(job)) return job;
    const found = attemptOf(job, request.attempt);
    if (isRefusal(found)) return found;
    const ranks = ranksOf(found.placement, request.rank);
    const outcomes = await Promise.allSettled(
      ranks.map(({ nodeId, rank }) => {
        const { follow } = request;
        const logs = { jobId: job.id, attempt: found.number, rank, follow, tailLines };
        return this.#relayLogs(nodeId, logs, replies, context.signal);
      }),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return undefined;
  }

  async attach(
    inputs: AsyncIterable<AttachRequest__Output>,
    replies: Sink<AttachResponse>,
    { caller, signal }: CallContext,
  ): Promise<Refusal | undefined> {
    const iterator = inputs[Symbol.asyncIterator]();
    const first = await iterator.next();
    const open = decodeOpen(first.done === true ? null : first.value);
    const job = this.#parts.index.resolve(open.job, caller);
    if (isRefusal(job)) return job;
    const task = runningTask(job, open.rank);
    if (isRefusal(task)) return task;
    const { rank, size, argv } = open;
    const attach = { jobId: job.id, attempt: task.attempt, rank, size, argv: [...argv] };
    const channel = await this.#parts.channels.open(task.nodeId, { attach }, signal);
    try {
      const typing = relayInput({ [Symbol.asyncIterator]: () => iterator }, channel);
      // The typing ends with either stream; what then went wrong is told by the output's end.
      typing.catch(() => channel.close());
      await relayOutput(channel.frames, replies);
    } finally {
      channel.close();
    }
    return undefined;
  }

  async #relayLogs(
    nodeId: NodeId,
    logs: { jobId: string; attempt: number; rank: number; follow: boolean; tailLines: number },
    replies: Sink<ReadLogsResponse>,
    signal: AbortSignal,
  ): Promise<void> {
    const channel = await this.#parts.channels.open(nodeId, { logs }, signal);
    const stop = (): void => channel.close();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const { attempt, rank } = logs;
      for await (const frame of channel.frames) {
        refuseError(frame);
        if (frame.log) await replies.send({ ...frame.log, attempt, rank, node: nodeId });
      }
    } finally {
      signal.removeEventListener("abort", stop);
      channel.close();
    }
  }
}

interface FoundAttempt {
  readonly number: number;
  readonly placement: readonly TaskPlacement[];
}

/** 0 = the newest. */
function attemptOf(job: Job, number: number): FoundAttempt | Refusal {
  const current = activeAttempt(job.phase);
  const known: readonly FoundAttempt[] = current === null ? job.history : [...job.history, current];
  const found = number === 0 ? known.at(-1) : known.find((attempt) => attempt.number === number);
  if (found !== undefined) return found;
  if (number === 0) {
    const remedy = `\`trainyard explain ${job.id}\` says what it waits for.`;
    return refuse("JOB_NOT_RUNNING", `${job.id} has not started yet: no output.`, remedy, "job");
  }
  const message = `${job.id} has no attempt ${number}; the newest is ${job.attemptLast}.`;
  return refuse("INVALID_SPEC", message, "Leave it out for the newest.", "attempt");
}

function ranksOf(
  placement: readonly TaskPlacement[],
  rank: number,
): readonly { readonly nodeId: NodeId; readonly rank: number }[] {
  const all = placement.map((task, index) => ({ nodeId: task.nodeId, rank: index }));
  if (rank === ALL_RANKS) return all;
  const found = all[rank];
  if (found !== undefined) return [found];
  const remedy = `Give 0..${all.length - 1}, or -1 for all.`;
  return reject("rank", rank, `outside of the gang of ${all.length}`, remedy);
}

function runningTask(
  job: Job,
  rank: number,
): { readonly nodeId: NodeId; readonly attempt: number } | Refusal {
  const attempt = activeAttempt(job.phase);
  const nodeId = attempt?.placement[rank]?.nodeId;
  if (attempt !== null && nodeId !== undefined && attempt.tasks[rank]?.kind === "running") {
    return { nodeId, attempt: attempt.number };
  }
  const message = `${job.id} has no running task of rank ${rank}; its phase: ${job.phase.kind}.`;
  const remedy = `\`trainyard show ${job.id}\` shows its tasks.`;
  return refuse("JOB_NOT_RUNNING", message, remedy, "job");
}

interface Opening {
  readonly job: string;
  readonly rank: number;
  readonly size: TerminalSize__Output;
  readonly argv: readonly string[];
}

function decodeOpen(message: AttachRequest__Output | null): Opening {
  const open: AttachOpen__Output | null | undefined = message?.open;
  if (!open) return reject("open", null, "not the first message", "Send `open` first.");
  const argv = decodeList(open.argv, "open.argv", 1_000);
  return {
    job: open.job,
    rank: decodeWhole(open.rank, "open.rank", { min: 0, max: 4_095 }),
    size: decodeSize(open.size, "open.size"),
    argv: argv.map((value, index) => decodeText(value, `open.argv[${index}]`, 131_071)),
  };
}

/** Absent or 0 = 80 × 24. */
function decodeSize(size: TerminalSize__Output | null, field: string): TerminalSize__Output {
  const range = { min: 1, max: 10_000 };
  return {
    columns: decodeWhole(size?.columns || 80, `${field}.columns`, range),
    rows: decodeWhole(size?.rows || 24, `${field}.rows`, range),
  };
}

async function relayInput(
  inputs: AsyncIterable<AttachRequest__Output>,
  channel: Channel,
): Promise<void> {
  for await (const message of inputs) {
    if (message.input) await channel.send({ input: message.input });
    else if (message.resize) await channel.send({ resize: decodeSize(message.resize, "resize") });
  }
}

/** Up to the exit code. */
async function relayOutput(
  frames: AsyncIterable<ChannelFrame__Output>,
  replies: Sink<AttachResponse>,
): Promise<void> {
  for await (const frame of frames) {
    refuseError(frame);
    if (frame.output) await replies.send({ output: frame.output });
    if (frame.payload === "exitCode") return replies.send({ exitCode: frame.exitCode ?? 0 });
  }
}

function refuseError(frame: ChannelFrame__Output): void {
  if (!frame.error) return;
  const remedy = "The agent's log has more.";
  throw new RefusalError(refuse("AGENT_REFUSED", frame.error, remedy));
}
