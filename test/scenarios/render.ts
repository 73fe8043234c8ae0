// Events, holds and jobs as the lines of a scenario file. Leaves out what says nothing about a decision.

import type { Refusal } from "../../src/base/errors.ts";
import type { Accepted } from "../../src/scheduler/core/commands.ts";
import type { ClusterEvent, EventOf, LoggedEvent } from "../../src/scheduler/core/events.ts";
import type { Prospect } from "../../src/scheduler/core/explain-when.ts";
import type { Hold } from "../../src/scheduler/core/hold.ts";
import type { Job, StopCause, TaskPlacement } from "../../src/scheduler/core/job.ts";

export function renderEvents(events: readonly LoggedEvent[], startMs: number): readonly string[] {
  return events.flatMap(({ atMs, event }) => {
    const text = renderEvent(event, startMs);
    return text === null ? [] : [`${(atMs - startMs) / 1_000}s ${text}`];
  });
}

function endReason(result: EventOf<"job.ended">["result"]): string {
  if (result.kind === "failed") return `: ${result.reason}`;
  return result.kind === "cancelled" && result.by === "scheduler" ? `: ${result.why}` : "";
}

/** Who changes its size waits for nobody else. */
const untilLeft = (victims: readonly string[]): string =>
  victims.length === 0 ? "" : ` until ${victims.join(", ")} left`;

/** Null = not worth a line. */
function renderEvent(event: ClusterEvent, startMs: number): string | null {
  switch (event.kind) {
    case "job.submitted":
      return `${event.jobId} submitted to ${event.spec.queue}`;
    case "array.submitted":
      return `${event.jobId} submitted to ${event.spec.queue}, array ${event.spec.array?.indexes}`;
    case "job.dependency-met":
      return `${event.jobId} waits no longer for ${event.on}`;
    case "job.held":
      return `${event.jobId} held by ${event.by}`;
    case "job.released":
      return `${event.jobId} released`;
    case "job.placed": {
      const resume = event.resumeFrom === null ? "" : ` from ${event.resumeFrom}`;
      return `${event.jobId} placed, attempt ${event.attempt} on ${where(event.placement)}${resume}`;
    }
    case "job.stopping":
      return `${event.jobId} asked to stop: ${renderCause(event.cause)}`;
    case "task.ended":
      return event.exit.code === 0 && event.exit.reason === "exited"
        ? null
        : `${event.jobId} rank ${event.rank} ended: ${event.exit.reason} ${event.exit.code}`;
    case "attempt.ended":
      return `${event.jobId} attempt ${event.attempt} over: ${event.outcome}, ${event.lostGpuMs / 1_000} GPU s lost`;
    case "job.requeued":
      return `${event.jobId} pending again: ${event.cause}`;
    case "job.ended":
      return `${event.jobId} ${event.result.kind}${endReason(event.result)}`;
    case "reservation.made":
      return `${event.jobId} reserves ${where(event.placement)}${untilLeft(event.victims)}`;
    case "reservation.dropped":
      return `${event.jobId} gives up its reservation: ${event.why}`;
    case "node.lost":
      return `${event.nodeId} lost`;
    case "node.notice-given":
      return `${event.nodeId} goes away at ${(event.goesAtMs - startMs) / 1_000}s`;
    case "node.schedulability-set":
      return `${event.nodeId} ${event.schedulability}`;
    case "node.conditions-set":
      return `${event.nodeId} conditions: ${event.conditions.map(({ kind }) => kind).join() || "none"}`;
    case "checkpoint.committed":
      return `${event.checkpointId} committed`;
    case "checkpoint.rejected":
      return `${event.checkpointId} rejected`;
    default:
      return null;
  }
}

export function renderReply(reply: Accepted | Refusal): readonly string[] {
  if (reply.kind === "refusal") return [`refused ${reply.code}: ${reply.message}`];
  return reply.isRepeat ? [`repeat of ${reply.jobId}`] : [];
}

export function renderJob(job: Job): string {
  const { phase } = job;
  const attempt = "attempt" in phase ? phase.attempt : null;
  const place = attempt === null ? "" : ` attempt ${attempt.number} on ${where(attempt.placement)}`;
  return `${job.id} ${phase.kind}${place}`;
}

/** The code, then what it says, ids and numbers as they are. */
export function renderHold(job: Job, hold: Hold | undefined): string {
  if (hold === undefined) return `${job.id} ${job.phase.kind}, no hold`;
  const { code, ...rest } = hold;
  const facts = Object.entries(rest).filter(
    ([name, value]) => !name.endsWith("Ms") && !(Array.isArray(value) && value.length === 0),
  );
  const words = facts.map(([name, value]) => `${name}=${String(value)}`);
  return [job.id, code, ...words].join(" ");
}

/** When it is likely to start, from now, and until when with nine in ten. */
export function renderProspect(job: Job, prospect: Prospect | null): string {
  if (prospect === null) return `${job.id} ${job.phase.kind}, no time is told`;
  const { p50Ms, p90Ms, gap } = prospect.forecast;
  if (p50Ms === null) return `${job.id} starts at a time not known: ${gap}`;
  const late = p90Ms === null ? "or later" : `${p90Ms / 1_000}s at the latest`;
  return `${job.id} starts in ${p50Ms / 1_000}s, ${late}`;
}

function renderCause(cause: StopCause): string {
  switch (cause.kind) {
    case "preempted":
      return `preempted (${cause.how}) for ${cause.preemptor ?? "nobody"}`;
    case "task_failed":
      return `rank ${cause.rank} failed`;
    case "node_lost":
      return `${cause.nodeId} lost`;
    case "node_failed":
      return `${cause.nodeId} failed rank ${cause.rank}: ${cause.exit.reason}`;
    default:
      return cause.kind;
  }
}

function where(placement: readonly TaskPlacement[]): string {
  return placement.map(({ nodeId, gpus }) => `${nodeId}:${gpus.join(",")}`).join(" ");
}
