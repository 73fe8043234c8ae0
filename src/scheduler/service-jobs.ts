// JobService: what users ask of jobs. Decodes, calls, encodes; reads never wait for the writer
// loop.

import type { CallContext } from "../rpc/call-context.ts";
import { decodeList, decodeOneOf, decodeText, decodeWhole } from "../rpc/decode.ts";
import type { ExplainJobResponse } from "../rpc/gen/trainyard/v1/ExplainJobResponse.ts";
import type { Job as JobMessage } from "../rpc/gen/trainyard/v1/Job.ts";
import type { JobServiceHandlers } from "../rpc/gen/trainyard/v1/JobService.ts";
import type { ListJobEventsRequest__Output } from "../rpc/gen/trainyard/v1/ListJobEventsRequest.ts";
import type { ListJobEventsResponse } from "../rpc/gen/trainyard/v1/ListJobEventsResponse.ts";
import type { ListJobsRequest__Output } from "../rpc/gen/trainyard/v1/ListJobsRequest.ts";
import type { ListJobsResponse } from "../rpc/gen/trainyard/v1/ListJobsResponse.ts";
import type { SubmitJobRequest__Output } from "../rpc/gen/trainyard/v1/SubmitJobRequest.ts";
import type { SubmitJobResponse } from "../rpc/gen/trainyard/v1/SubmitJobResponse.ts";
import { encodeTimestamp } from "../rpc/decode.ts";
import { PHASE_NAMES } from "../rpc/phase-names.ts";
import { bidiStream, clientStream, serverStream, unary } from "../rpc/handlers.ts";
import { isRefusal } from "../rpc/status.ts";
import type { Refusal } from "../base/errors.ts";
import { type JobId, queuePath } from "../base/ids.ts";
import { must } from "../base/assert.ts";
import type { Bundles } from "./bundles.ts";
import { numberOfJob } from "./core/array.ts";
import type { Command } from "./core/commands.ts";
import { unknownQueue } from "./core/decide-job.ts";
import { explainInTurns } from "./core/explain.ts";
import type { Moment, Starts } from "./core/explain-when.ts";
import { explainArray } from "./core/explain-array.ts";
import { waitLines } from "./core/explain-past.ts";
import { explainSubmission } from "./core/explain-submission.ts";
import type { LoggedEvent } from "./core/events.ts";
import { type Identity, isEnded, type Job, type JobArray } from "./core/job.ts";
import type { Forecasts } from "./forecasts.ts";
import type { JobLogs } from "./service-logs.ts";
import { decodePageSize, decodePageToken, envelopeOf } from "./service-decode.ts";
import { isArray, type JobIndex } from "./service-job-index.ts";
import type { Brain, JobHistory } from "./service-ports.ts";
import { decodeJobSpec } from "./service-spec.ts";
import type { JobWatch } from "./service-watch.ts";
import { arrayView } from "./views-array.ts";
import { explanationView, previewView } from "./views-explain.ts";
import { jobView, phaseName } from "./views-job.ts";
import { eventMessage } from "./views-sentences.ts";

export interface JobServiceParts {
  readonly brain: Brain;
  readonly index: JobIndex;
  readonly history: JobHistory;
  readonly bundles: Bundles;
  readonly logs: JobLogs;
  readonly watch: JobWatch;
  readonly forecasts: Pick<Forecasts, "starts" | "inTurns">;
}

const WATCHED_MAX = 10_000;
const EVENTS_DEFAULT = 1_000;
const EVENTS_MAX = 10_000;

export function createJobService(parts: JobServiceParts): JobServiceHandlers {
  const { brain, index, bundles, logs, watch, forecasts } = parts;
  return {
    SubmitJob: unary((request, context) => submit(parts, request, context)),
    CancelJob: unary((request, context) => {
      const why = decodeText(request.why, "why", 1_000);
      return change(parts, request, context, (jobId) => ({ kind: "job.cancel", jobId, why }));
    }),
    HoldJob: unary((request, context) => {
      const why = decodeText(request.why, "why", 1_000);
      return change(parts, request, context, (jobId) => ({ kind: "job.hold", jobId, why }));
    }),
    ReleaseJob: unary((request, context) =>
      change(parts, request, context, (jobId) => ({ kind: "job.release", jobId })),
    ),
    ListJobs: unary((request, { caller }) => Promise.resolve(list(parts, request, caller))),
    ListJobEvents: unary((request, context) => listEvents(parts, request, context)),
    GetJob: unary(async ({ job: reference }, { caller }) => {
      const found = index.find(reference, caller);
      if (isRefusal(found)) return found;
      if (isArray(found)) return { array: arrayView(brain.state(), found) };
      return { job: viewOf(brain, found) };
    }),
    ExplainJob: unary((request, { caller }) => explainJob(parts, request.job, caller)),
    PreviewJob: unary(async (request, { caller }) => {
      const find = (reference: string): ReturnType<JobIndex["find"]> =>
        index.find(reference, caller);
      const spec = decodeJobSpec(request.spec, { nowMs: brain.nowMs(), find });
      const starts = await forecasts.starts();
      const moment = (): Moment => momentOf(brain, starts);
      const asked = { spec, owner: caller };
      const preview = await forecasts.inTurns(() => explainSubmission(moment(), asked));
      return isRefusal(preview) ? preview : previewView(brain.state(), preview);
    }),
    WatchJobs: serverStream((request, replies, context) => {
      const jobs = decodeList(request.jobs, "jobs", WATCHED_MAX);
      const send = (job: Job): Promise<void> => replies.send({ job: viewOf(brain, job) });
      return watch.run(jobs, { caller: context.caller, signal: context.signal, send });
    }),
    ReadLogs: serverStream((request, replies, context) => logs.read(request, replies, context)),
    AttachJob: bidiStream((inputs, replies, context) => logs.attach(inputs, replies, context)),
    PutBundle: clientStream((chunks, { signal }) => bundles.receive(chunks, signal)),
  };
}

/** The job as the API shows it, with its hold while it waits. */
function viewOf(brain: Brain, job: Job): JobMessage {
  return jobView(job, { nowMs: brain.nowMs(), hold: brain.hold(job.id) });
}

async function explainJob(
  parts: JobServiceParts,
  reference: string,
  caller: Identity,
): Promise<ExplainJobResponse | Refusal> {
  const { brain, index, forecasts } = parts;
  const asked = index.find(reference, caller);
  if (isRefusal(asked)) return asked;
  const isWaiting = isArray(asked) || asked.phase.kind === "pending";
  const starts = isWaiting ? await forecasts.starts() : null;
  const job = index.find(asked.id, caller);
  if (isRefusal(job)) return job;
  const state = brain.state();
  const moment = (): Moment => momentOf(brain, starts);
  if (isArray(job)) {
    const all = await forecasts.inTurns(() => explainArray(moment(), job, (id) => brain.hold(id)));
    return { array: arrayView(state, job), ...explanationView(state, all) };
  }
  const why = await forecasts.inTurns(() => explainInTurns(moment(), job.id, brain.hold(job.id)));
  const waited = waitLines(eventsOf(parts, job, 0, EVENTS_MAX), brain.nowMs());
  const told = { ...why, lines: [...why.lines, ...waited] };
  return { job: viewOf(brain, job), ...explanationView(state, told) };
}

const momentOf = (brain: Brain, starts: Starts | null): Moment => ({
  state: brain.state(),
  nowMs: brain.nowMs(),
  starts,
  left: brain.leftovers(),
});

async function submit(
  { brain, bundles, index }: JobServiceParts,
  request: SubmitJobRequest__Output,
  context: CallContext,
): Promise<SubmitJobResponse | Refusal> {
  const { caller } = context;
  const find = (reference: string): ReturnType<JobIndex["find"]> => index.find(reference, caller);
  const spec = decodeJobSpec(request.spec, { nowMs: brain.nowMs(), find });
  const envelope = envelopeOf({ kind: "job.submit", spec }, request, context);
  const missing = spec.bundle === null ? null : await bundles.missing(spec.bundle.digest);
  if (missing !== null) return missing;
  const reply = await brain.execute(envelope);
  if (reply.kind === "refusal") return reply;
  return { jobId: must(reply.jobId, "id of the job submitted"), isRepeat: reply.isRepeat };
}

/** Of a job, or of an array as a whole. */
async function change(
  { brain, index }: JobServiceParts,
  request: { readonly requestId: string; readonly job: string },
  context: CallContext,
  commandFor: (jobId: JobId) => Command,
): Promise<{ jobId: string } | Refusal> {
  const found = index.find(request.job, context.caller);
  if (isRefusal(found)) return found;
  const reply = await brain.execute(envelopeOf(commandFor(found.id), request, context));
  return reply.kind === "refusal" ? reply : { jobId: reply.jobId ?? found.id };
}

function list(
  parts: JobServiceParts,
  request: ListJobsRequest__Output,
  caller: Identity,
): ListJobsResponse | Refusal {
  const of = request.array === "" ? null : parts.index.find(request.array, caller);
  if (of !== null && isRefusal(of)) return of;
  const size = decodePageSize(request.page?.size ?? 0);
  const below = decodePageToken(request.page?.token ?? "");
  const isListed = filterOf(request);
  const page: Job[] = [];
  for (const job of parts.index.newestFirst(below)) {
    if (!isListed(job) || (of !== null && job.array?.id !== of.id)) continue;
    // One more than the page was found: so there is a next one, after the last of this.
    if (page.length === size) return { jobs: views(parts, page), nextToken: tokenOf(page) };
    page.push(job);
  }
  // Ended jobs outlive their queue: only when there is none, a mistyped queue is what was meant.
  const { queue } = request;
  if (page.length === 0 && queue !== "") {
    const problem = unknownQueue(parts.brain.state(), queuePath(queue), "queue");
    if (problem !== null) return problem;
  }
  return { jobs: views(parts, page), nextToken: "" };
}

const views = (parts: JobServiceParts, jobs: readonly Job[]): JobMessage[] =>
  jobs.map((job) => viewOf(parts.brain, job));

const tokenOf = (page: readonly Job[]): string =>
  String(numberOfJob(must(page.at(-1), "last job of a full page").id));

function filterOf(request: ListJobsRequest__Output): (job: Job) => boolean {
  const { queue, user, includeEnded } = request;
  const phases = new Set<string>(
    request.phases.map((phase, at) => decodeOneOf(phase, `phases[${at}]`, PHASE_NAMES)),
  );
  return ({ spec, owner, phase }) => {
    if (queue !== "" && spec.queue !== queue && !spec.queue.startsWith(`${queue}/`)) return false;
    if (user !== "" && owner.user !== user) return false;
    return phases.size > 0 ? phases.has(phaseName(phase)) : includeEnded || !isEnded(phase);
  };
}

async function listEvents(
  { index, history }: JobServiceParts,
  request: ListJobEventsRequest__Output,
  { caller }: CallContext,
): Promise<ListJobEventsResponse | Refusal> {
  const range = { min: 0, max: EVENTS_MAX };
  const limit = decodeWhole(request.limit, "limit", range) || EVENTS_DEFAULT;
  const after = decodeWhole(request.afterSeq, "afterSeq", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const job = index.find(request.job, caller);
  if (isRefusal(job)) return job;
  const found = eventsOf({ history }, job, after, limit + 1);
  const events = found.slice(0, limit).map(({ seq, atMs, actor, event }) => {
    return {
      seq,
      at: encodeTimestamp(atMs),
      actor,
      kind: event.kind,
      message: eventMessage(event),
    };
  });
  return { events, hasMore: found.length > limit };
}

/** Those after `after`, oldest first. What happened to its array happened to the job as well. */
function eventsOf(
  { history }: Pick<JobServiceParts, "history">,
  job: Job | JobArray,
  after: number,
  limit: number,
): readonly LoggedEvent[] {
  const ids = isArray(job) || job.array === null ? [job.id] : [job.array.id, job.id];
  return ids.flatMap((id) => history.read(id, after + 1, limit)).sort((a, b) => a.seq - b.seq);
}
