// Explaining in sentences: why a job waits, who is ahead, what would start it now; and for jobs
// that run or are over, what happened to them. Renders data that the plan and the state hold;
// decides nothing.

import { unreachable } from "../../base/assert.ts";
import { atOnce } from "../../base/at-once.ts";
import type { JobId } from "../../base/ids.ts";
import type { Hold } from "./hold.ts";
import { holdMessage } from "./hold-words.ts";
import { mayGrowFromMs } from "./grow.ts";
import { type Attempt, isResize, type Job, type JobSpec, resumePoint } from "./job.ts";
import { jobOf, queueOf } from "./lookup.ts";
import { countAhead, firstOf } from "./order.ts";
import { deadlineOf } from "./pending-groups.ts";
import { type QueueNode, QueueTree } from "./queue-tree.ts";
import { forecastRemainingMs, usefulRunMs } from "./remaining-time.ts";
import { seekRemedy } from "./remedy.ts";
import type { ClusterState, Policy } from "./state.ts";
import { causeMessage, pastLines } from "./explain-past.ts";
import {
  isForEver,
  type Moment,
  type Prospect,
  prospectLines,
  prospectOf,
} from "./explain-when.ts";
import { clock, count, duration, NAMED_MAX, named, sentence, sizeOf } from "./wording.ts";

export interface Explanation {
  /** In the order in which a person wants them. */
  readonly lines: readonly string[];
  /** 1 = next of its queue; 0 = not waiting. */
  readonly position: number;
  /** The first of those of its queue that come before it, next first; see `AHEAD_LISTED_MAX`. */
  readonly ahead: readonly JobId[];
  /** The smallest change that would start it now; empty = none found, or not waiting. */
  readonly remedy: string;
  /** Null where it does not wait, or no time can be told. */
  readonly prospect: Prospect | null;
}

/** How many of the jobs ahead are listed; the position counts all. */
export const AHEAD_LISTED_MAX = 100;

/**
 * The job must exist. `hold` is what the last plan said about it; null when no pass has looked at
 * it since, or when it does not wait.
 */
export const explain = (moment: Moment, jobId: JobId, hold: Hold | null): Explanation =>
  atOnce(explainInTurns(moment, jobId, hold));

/** Pauses where it has worked for a while. The state may change meanwhile, be it the job's. */
export function* explainInTurns(
  moment: Moment,
  jobId: JobId,
  hold: Hold | null,
): Generator<void, Explanation> {
  const { state, nowMs } = moment;
  const why = hold ?? { code: "EVALUATING" };
  const asked = jobOf(state, jobId);
  const found = asked.phase.kind === "pending" ? yield* seekRemedy(moment, asked, why) : null;
  const remedy = found?.text ?? "";
  const job = jobOf(state, jobId);
  if (job.phase.kind !== "pending") {
    return {
      lines: [...phaseLines(job, nowMs, state.policy), ...pastLines(job)],
      position: 0,
      ahead: [],
      remedy: "",
      prospect: null,
    };
  }
  const sinceMs = job.history.at(-1)?.endedAtMs ?? job.submittedAtMs;
  const waited = duration(Math.max(0, nowMs - sinceMs));
  const title = `${job.id} has waited ${waited} in ${job.spec.queue}.`;
  // It has no place among those that may be placed.
  if (job.admittedAtMs === null || why.code === "BEGIN_TIME") {
    const lines = [title, holdMessage(why), ...pastLines(job)];
    return { lines, position: 0, ahead: [], remedy, prospect: null };
  }
  const { position, ahead } = place(state, job, nowMs);
  const prospect = prospectOf(moment, job, position - 1, why);
  const lines = [
    title,
    holdMessage(why),
    isForEver(why) ? "" : aheadLine(state, ahead, position - 1),
    shareLine(state, job, nowMs),
    deadlineLine(state, job, nowMs),
    ...prospectLines(state, prospect, nowMs),
    remedy,
    ...pastLines(job),
  ];
  return { lines: lines.filter((line) => line !== ""), position, ahead, remedy, prospect };
}

/** Where the job stands among those of its queue that may be placed now. */
function place(
  state: ClusterState,
  job: Job,
  nowMs: number,
): Pick<Explanation, "position" | "ahead"> {
  const leaf = new QueueTree(state, nowMs).queue(job.spec.queue);
  const { path } = leaf.spec;
  const pending = state.pending.queue(path);
  const late = state.pending.late(nowMs, state.jobs).filter(({ kind }) => kind.queue === path);
  // Those who have waited too long are in their groups too: their place there is told.
  const heldBy = (ownerKey: string): number => leaf.heldByUser.get(ownerKey) ?? 0;
  const { runTimes, policy } = state;
  const jobs = { nowMs, leaf, pending, late, aged: [], runTimes, heldBy, isWaiting: () => true };
  const aheadCount = countAhead(jobs, policy, job);
  const first = firstOf(jobs, policy, Math.min(aheadCount, AHEAD_LISTED_MAX));
  return { position: aheadCount + 1, ahead: first };
}

function aheadLine(state: ClusterState, ahead: readonly JobId[], aheadCount: number): string {
  if (ahead.length === 0) return "It is the next of its queue.";
  const first = ahead.slice(0, NAMED_MAX).map((id) => `${id} (${sizeOf(jobOf(state, id).spec)})`);
  const rest = aheadCount > first.length ? ` and ${aheadCount - first.length} more` : "";
  return `It is number ${aheadCount + 1} of its queue, behind ${first.join(", ")}${rest}.`;
}

function shareLine(state: ClusterState, { spec }: Job, nowMs: number): string {
  const queue = new QueueTree(state, nowMs).queue(spec.queue);
  const { guarantee, limit } = queue.spec;
  const bound = limit === null ? "no limit of its own" : `a limit of ${limit}`;
  const reserved = reservedGpus(state, queue);
  const more = reserved === 0 ? "" : ` and has ${reserved} reserved`;
  const used = `${count(queue.allocated.gpus, "GPU")}${more}`;
  const over = queue.allocated.gpus - guarantee;
  const left = Math.min(-over, queue.spec.lendingLimit ?? -over);
  const balance =
    over > 0 ? `: it borrows ${over}` : left > 0 ? `: it leaves ${left} to others` : "";
  return (
    `Queue ${spec.queue} uses ${used}; ${guarantee} are guaranteed to it, with ${bound}${balance}. ` +
    "`trainyard queue shares` compares it with the others."
  );
}

/** By jobs of the queue and of those below it: limits count them like those in use. */
function reservedGpus(state: ClusterState, queue: QueueNode): number {
  let gpus = 0;
  for (const { jobId, placement } of state.reservations.values()) {
    const { spec } = jobOf(state, jobId);
    const { lineage } = queue.tree.queue(spec.queue);
    if (lineage.includes(queue)) gpus += placement.length * spec.perNode.gpus;
  }
  return gpus;
}

/** Whether it can still be met, and whether its queue goes by it. */
function deadlineLine(state: ClusterState, { spec }: Job, nowMs: number): string {
  const deadline = deadlineOf(spec);
  if (deadline === null) return "";
  const { atMs, latestStartMs } = deadline;
  const due = `Its deadline is ${clock(atMs)}`;
  if (nowMs > latestStartMs) {
    const late = duration(nowMs - latestStartMs);
    return `${due}: to meet it, it would have had to start ${late} ago, and it is ranked without.`;
  }
  const inTime = `${due}: to meet it, it must start within ${duration(latestStartMs - nowMs)}`;
  const { order } = queueOf(state, spec.queue).spec;
  return order === "edf" ? `${inTime}.` : `${inTime}; its queue does not go by deadlines.`;
}

function phaseLines(job: Job, nowMs: number, policy: Policy): readonly string[] {
  const { phase } = job;
  switch (phase.kind) {
    case "pending":
      return [];
    case "placed":
    case "starting":
    case "running": {
      const { number, placement, runningAtMs, placedAtMs } = phase.attempt;
      const since = duration(nowMs - (runningAtMs ?? placedAtMs));
      const where = named(placement.map(({ nodeId }) => nodeId));
      const is = `Attempt ${number} is ${phase.kind} on ${where} for ${since}.`;
      return [
        is,
        ...sizeLines(job, placement.length),
        ...growLines(job, phase.attempt, nowMs, policy),
        ...timeLimitLines(job.spec, runningAtMs, nowMs),
        ...forecastLines(job, nowMs),
      ];
    }
    case "stopping":
      return [
        `It is being stopped, by ${clock(phase.deadlineMs)} at the latest.`,
        causeMessage(phase.cause),
      ];
    case "succeeded":
      return [`It succeeded at ${clock(phase.endedAtMs)}.`];
    case "failed":
      return [`It failed at ${clock(phase.endedAtMs)}: ${phase.reason.replaceAll("_", " ")}.`];
    case "cancelled":
      return [sentence(`it was cancelled at ${clock(phase.endedAtMs)} by ${phase.by}`, phase.why)];
    default:
      return unreachable(phase);
  }
}

/** With how many nodes an elastic job runs, and why. */
function sizeLines({ spec, history }: Job, nodes: number): readonly string[] {
  if (spec.nodesMin === spec.nodes) return [];
  const size = `It runs on ${nodes} of ${spec.nodesMin} to ${count(spec.nodes, "node")}`;
  const cause = history.at(-1)?.cause ?? null;
  if (cause?.kind === "preempted" && isResize(cause)) {
    // What its earlier attempts came to says the rest.
    return [`${size} since it ${cause.how === "grow" ? "grew" : `shrank for ${cause.preemptor}`}.`];
  }
  if (nodes === spec.nodes) return [`${size}: all that it takes.`];
  return [`${size}: no more were free within its limits when it started.`];
}

/** Why it is no larger, where idle nodes are. */
function growLines(job: Job, attempt: Attempt, nowMs: number, policy: Policy): readonly string[] {
  const { placement, runningAtMs } = attempt;
  if (placement.length === job.spec.nodes || runningAtMs === null) return [];
  if (policy.growAfterMs === 0) return ["It does not grow: the policy's grow_after is 0."];
  if (resumePoint(job) === null) return ["It takes no idle nodes before it has saved once."];
  const fromMs = mayGrowFromMs(job, runningAtMs, policy);
  const when = fromMs > nowMs ? `From ${clock(fromMs)} on it takes` : "It takes";
  return [`${when} idle nodes, if nobody waits for them and they are worth a restart.`];
}

function forecastLines(job: Job, nowMs: number): readonly string[] {
  const leftMs = forecastRemainingMs(job, usefulRunMs(job, nowMs));
  return leftMs === null ? [] : [`Going by its steps, it will run for ${duration(leftMs)} more.`];
}

function timeLimitLines(
  { timeLimitMs }: JobSpec,
  runningAtMs: number | null,
  nowMs: number,
): readonly string[] {
  if (timeLimitMs === null) return [];
  const limit = `Its time limit is ${duration(timeLimitMs)}`;
  if (runningAtMs === null) return [`${limit} from when every task runs.`];
  const endsAtMs = runningAtMs + timeLimitMs;
  return [`${limit}: it ends in ${duration(endsAtMs - nowMs)}, at ${clock(endsAtMs)}.`];
}
