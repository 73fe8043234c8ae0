// Explaining in sentences: why a job waits, who is ahead, what would start it now; and for jobs
// that run or are over, what happened to them. Renders data that the plan and the state hold;
// decides nothing.

import { unreachable } from "../../base/assert.ts";
import { atOnce } from "../../base/at-once.ts";
import type { JobId } from "../../base/ids.ts";
import { amountText, type Hold } from "./hold.ts";
import { activeAttempt, isResize, type Job, type JobSpec, userKey } from "./job.ts";
import { jobOf, queueOf } from "./lookup.ts";
import { countAhead, firstOf } from "./order.ts";
import { deadlineOf } from "./pending.ts";
import { QueueTree } from "./queue-tree.ts";
import { forecastRemainingMs, usefulRunMs } from "./remaining-time.ts";
import { seekRemedy } from "./remedy.ts";
import type { ClusterState } from "./state.ts";
import { causeMessage, pastLines } from "./explain-past.ts";
import { type Moment, type Prospect, prospectLines, prospectOf } from "./explain-when.ts";
import { and, clock, count, duration, NAMED_MAX, named, sizeOf, times } from "./wording.ts";

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
      lines: [...phaseLines(job, nowMs), ...pastLines(job)],
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
    aheadLine(state, ahead, position - 1),
    shareLine(state, job, nowMs),
    deadlineLine(state, job, nowMs),
    ...prospectLines(state, prospect, nowMs),
    remedy,
    ...pastLines(job),
  ];
  return { lines: lines.filter((line) => line !== ""), position, ahead, remedy, prospect };
}

/** One sentence with the numbers. */
export function holdMessage(hold: Hold): string {
  switch (hold.code) {
    case "EVALUATING":
      return "It has not been looked at yet.";
    case "HELD_BY_USER":
      return sentence(`it is held by ${hold.by} since ${clock(hold.atMs)}`, hold.why);
    case "WAITING_FOR_JOB":
      return waitingMessage(hold);
    case "BEGIN_TIME":
      return `It was asked not to begin before ${clock(hold.untilMs)}.`;
    case "ARRAY_PARALLEL":
      return (
        `Array ${hold.array} may have ${count(hold.parallel, "job")} under way at once, and has ` +
        `${hold.underWay}.`
      );
    case "BACKOFF":
      return backoffMessage(hold);
    case "EXCEEDS_CLUSTER":
      return exceedsMessage(hold);
    case "TOPOLOGY":
      return topologyMessage(hold);
    case "NO_MATCHING_GPU":
      return (
        `No schedulable node has a GPU of type ${hold.gpuTypes.join(" or ")}; there ` +
        (hold.typesPresent.length === 0
          ? "is none at all."
          : `are ${hold.typesPresent.join(", ")}.`)
      );
    case "EXCEEDS_QUEUE_LIMIT":
      return (
        `It asks for ${amountText(hold.resource, hold.asked)}; queue ${hold.queue} may never ` +
        `use more than ${amountText(hold.resource, hold.limit)}.`
      );
    case "WAITING_FOR_QUOTA":
      return (
        `It asks for ${amountText(hold.resource, hold.asked)}; queue ${hold.queue} uses ` +
        `${amountText(hold.resource, hold.allocated)} and may use ` +
        `${amountText(hold.resource, hold.limit)}.`
      );
    case "TENANT_LIMIT":
    case "USER_LIMIT":
      return ownerLimitMessage(hold);
    case "KEPT_BY_QUEUE":
      return (
        `It asks for ${count(hold.asked, "GPU")}; of the ${hold.guarantee} that ${hold.queue} is ` +
        `guaranteed, no more than ${hold.lendingLimit} are lent to others.`
      );
    case "WAITING_FOR_GPUS":
      return `It asks for ${count(hold.asked, "GPU")}${ofTypes(hold)} and ${hold.free} are free.`;
    case "FRAGMENTED":
      return fragmentedMessage(hold);
    case "RESERVED_FOR_OTHER":
      return (
        `It asks for ${count(hold.asked, "GPU")}; ${hold.free} are free, but the room is kept ` +
        `for ${hold.holder}${untilText(hold.untilMs)}, which has waited longer or has a better ` +
        "right to it."
      );
    case "WAITING_FOR_PREEMPTED":
      return preemptedMessage(hold);
    case "WAITING_FOR_END":
      return endMessage(hold);
    default:
      return unreachable(hold);
  }
}

const untilText = (atMs: number | null): string =>
  atMs === null ? "" : ` until about ${clock(atMs)}`;

/** The numbers of a hold, by name. */
export function holdDetails(hold: Hold): Readonly<Record<string, string>> {
  const details: Record<string, string> = {};
  for (const [name, value] of Object.entries(hold)) {
    if (name !== "code") details[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return details;
}

type OwnerLimitHold = Extract<Hold, { readonly code: "TENANT_LIMIT" | "USER_LIMIT" }>;

function ownerLimitMessage({ code, owner, what, asked, used, limit }: OwnerLimitHold): string {
  const who = `${code === "TENANT_LIMIT" ? "tenant" : "user"} ${owner}`;
  if (what === "gpus") {
    return (
      `It asks for ${count(asked, "GPU")}; ${who} holds ${used} in all queues together and may ` +
      `hold ${limit}.`
    );
  }
  return sentence(`${who} has ${count(used, "job")} under way and may have ${limit} at once`, "");
}

const CONDITIONS = { ok: "succeed", failed: "fail", any: "end" } as const;

function waitingMessage(hold: Extract<Hold, { readonly code: "WAITING_FOR_JOB" }>): string {
  const is = hold.phase === null ? "is not over" : `is ${hold.phase}`;
  const others = hold.others === 0 ? "" : `, and for ${count(hold.others, "other job")}`;
  return `It waits for ${hold.job} to ${CONDITIONS[hold.on]}, which ${is}${others}.`;
}

function sentence(text: string, why: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${why === "" ? "" : `: ${why}`}.`;
}

function backoffMessage(hold: Extract<Hold, { readonly code: "BACKOFF" }>): string {
  const until = clock(hold.untilMs);
  switch (hold.cause) {
    case "preempted":
      return `It waits until ${until} for its last checkpoint to be committed.`;
    case "node_failed":
      return `Node after node failed it, so it is not tried again before ${until}.`;
    default:
      return `It failed ${times(hold.failures)} and is not tried again before ${until}.`;
  }
}

function fragmentedMessage(hold: Extract<Hold, { readonly code: "FRAGMENTED" }>): string {
  const { nodesAsked, free, nodesFit } = hold;
  const each = `${and(askedOfNode(hold))} free`;
  const wish =
    nodesAsked === 1 ? `${each} on one node` : `${nodesAsked} nodes with ${each} on each`;
  const able = nodesFit === 0 ? "no node has them" : `only ${count(nodesFit, "node")} can serve it`;
  return `It needs ${wish}. ${count(free, "GPU")}${ofTypes(hold)} are free in all, but ${able}.`;
}

const ofTypes = ({ gpuTypes }: { readonly gpuTypes: readonly string[] }): string =>
  gpuTypes.length === 0 ? "" : ` of type ${gpuTypes.join(" or ")}`;

interface AskedOfNode {
  readonly gpusPerNode: number;
  readonly cpuMilliPerNode: number;
  readonly memoryMibPerNode: number;
}

/** `8 GPUs`, `4 CPUs`: what a job asks for, and nothing else. */
function askedOfNode({ gpusPerNode, cpuMilliPerNode, memoryMibPerNode }: AskedOfNode) {
  return [
    ...(gpusPerNode > 0 ? [amountText("gpus", gpusPerNode)] : []),
    ...(cpuMilliPerNode > 0 ? [amountText("cpuMilli", cpuMilliPerNode)] : []),
    ...(memoryMibPerNode > 0 ? [amountText("memoryMib", memoryMibPerNode)] : []),
  ];
}

function exceedsMessage(hold: Extract<Hold, { readonly code: "EXCEEDS_CLUSTER" }>): string {
  const { nodesAsked, nodesFit, nodesMixed, nodesSpot } = hold;
  const each = nodesAsked === 1 ? "" : " each";
  const are = nodesMixed === 1 ? "is" : "are";
  const mixed = nodesMixed > nodesFit ? `; ${nodesMixed} ${are}, of several GPU types` : "";
  const spot = nodesSpot === 0 ? "" : `; it avoids ${count(nodesSpot, "spot node")}`;
  const largest = askedOfNode({
    gpusPerNode: hold.gpusPerNode === 0 ? 0 : hold.gpusLargest,
    cpuMilliPerNode: hold.cpuMilliPerNode === 0 ? 0 : hold.cpuMilliLargest,
    memoryMibPerNode: hold.memoryMibPerNode === 0 ? 0 : hold.memoryMibLargest,
  });
  return (
    `It asks for ${count(nodesAsked, "node")} with ${and(askedOfNode(hold))}${each}${ofTypes(hold)}, ` +
    `and ${howManyFit(nodesFit)} that large (at most ${and(largest)} on one)${mixed}${spot}.`
  );
}

const howManyFit = (nodes: number): string => {
  if (nodes === 0) return "no node of the cluster is";
  return nodes === 1 ? "only one of the cluster is" : `only ${nodes} of the cluster are`;
};

function topologyMessage(hold: Extract<Hold, { readonly code: "TOPOLOGY" }>): string {
  const { level, scope, nodesAsked, gpusPerNode, domain, nodesFit, domains } = hold;
  const each = count(gpusPerNode, "GPU");
  const now = scope === "now" ? " now" : "";
  if (level === "island") {
    return (
      `It needs ${each} of one NVLink island on ${count(nodesAsked, "node")}, and ` +
      `${nodesFit === 0 ? "none has" : `only ${count(nodesFit, "node")} can give`} them${now}.`
    );
  }
  const wish = `It needs ${count(nodesAsked, "node")} with ${each} each in one ${level}`;
  if (domains === 0) return `${wish}, and no node says which ${level} it is in.`;
  const room = scope === "now" ? "has room now" : "is large enough";
  return (
    `${wish}, and none of ${count(domains, level)} ${room}: ${domain} comes closest with ` +
    `${count(nodesFit, "node")}.`
  );
}

function preemptedMessage(hold: Extract<Hold, { readonly code: "WAITING_FOR_PREEMPTED" }>): string {
  if (hold.victims.length === 0) return "Its room is reserved and comes free now.";
  const who = named(hold.victims);
  const verb = hold.victims.length === 1 ? "saves and leaves" : "save and leave";
  return `Its room is reserved: ${who} ${verb}, by ${clock(hold.deadlineMs)} at the latest.`;
}

function endMessage({
  jobs,
  untilMs,
}: Extract<Hold, { readonly code: "WAITING_FOR_END" }>): string {
  const [who, self] = [named(jobs), jobs.length === 1 ? "itself" : "themselves"];
  return (
    `Its room is kept while ${who} should end by ${self}, by ${clock(untilMs)}: ` +
    "less than a restart would cost."
  );
}

/** Where the job stands among those of its queue that may be placed now. */
function place(
  state: ClusterState,
  job: Job,
  nowMs: number,
): Pick<Explanation, "position" | "ahead"> {
  const leaf = new QueueTree(state, nowMs).queue(job.spec.queue);
  const held = new Map<string, number>();
  for (const id of state.active) {
    const { owner, spec, phase } = jobOf(state, id);
    if (spec.queue !== job.spec.queue) continue;
    const gpus = (activeAttempt(phase)?.placement.length ?? 0) * spec.perNode.gpus;
    held.set(userKey(owner), (held.get(userKey(owner)) ?? 0) + gpus);
  }
  const { path } = leaf.spec;
  const pending = state.pending.queue(path);
  const late = state.pending.late(nowMs, state.jobs).filter(({ kind }) => kind.queue === path);
  // Those who have waited too long are in their groups too: their place there is told.
  const heldBy = (ownerKey: string): number => held.get(ownerKey) ?? 0;
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
  const used = count(queue.allocated.gpus, "GPU");
  const over = queue.allocated.gpus - guarantee;
  const left = Math.min(-over, queue.spec.lendingLimit ?? -over);
  const balance =
    over > 0 ? `: it borrows ${over}` : left > 0 ? `: it leaves ${left} to others` : "";
  return (
    `Queue ${spec.queue} uses ${used}; ${guarantee} are guaranteed to it, with ${bound}${balance}. ` +
    "`trainyard queue shares` compares it with the others."
  );
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

function phaseLines(job: Job, nowMs: number): readonly string[] {
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
  if (cause !== null && isResize(cause)) return [`${size}. ${causeMessage(cause)}`];
  if (nodes === spec.nodes) return [`${size}: all that it takes.`];
  return [`${size}: no more were free within its limits when it started.`];
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
