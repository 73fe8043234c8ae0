// Explaining the past in sentences: what a job waited for, as far as its events tell, what its attempts
// came to, by which right others took its GPUs, and what that cost.

import { unreachable } from "../../base/assert.ts";
import type { LoggedEvent } from "./events.ts";
import type { AttemptRecord, Job, PreemptionKind, StopCause } from "./job.ts";
import { SECOND_MS } from "../../base/time.ts";
import { clock, duration, gpuTime, NAMED_MAX, times } from "./wording.ts";

/** What a wait was for; the reasons of single passes are not kept, so `room` may also be quota. */
type WaitKind = "held" | "jobs" | "begin" | "backoff" | "leaving" | "room";

const WAITED_FOR: Readonly<Record<WaitKind, string>> = {
  held: "held by somebody",
  jobs: "for other jobs to end",
  begin: "for its begin time",
  backoff: "before it was tried again",
  leaving: "for those to leave who made room for it",
  room: "for room, quota or its turn",
};

/**
 * How long it waited in all its life, and for what. `events` are its own and its array's from the
 * first one on, in order; empty where nothing is known, it did not wait, or this is its first wait
 * and for one thing: the hold tells that.
 */
export function waitLines(events: readonly LoggedEvent[], nowMs: number): readonly string[] {
  const waits = new Waits();
  for (const logged of events) waits.see(logged);
  const parts = waits.until(nowMs);
  const told = [...parts]
    .filter(([, ms]) => ms >= SECOND_MS)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, ms]) => `${duration(ms)} ${WAITED_FOR[kind]}`);
  const total = waits.totalMs;
  const isFirst = waits.isWaiting && waits.earlierMs < SECOND_MS;
  if (total < SECOND_MS || (isFirst && told.length === 1)) return [];
  return [`It waited ${duration(total)} in all: ${told.join(", ")}.`];
}

class Waits {
  readonly #parts = new Map<WaitKind, number>();
  /** Before the wait that it is in, or was in last. */
  earlierMs = 0;
  /** Null while it does not wait. */
  #sinceMs: number | null = null;
  #holds = 0;
  #waitsFor = 0;
  #beginAtMs = 0;
  #notBeforeMs = 0;
  #isReserved = false;

  get isWaiting(): boolean {
    return this.#sinceMs !== null;
  }

  get totalMs(): number {
    return [...this.#parts.values()].reduce((sum, ms) => sum + ms, 0);
  }

  see({ atMs, event }: LoggedEvent): void {
    this.#passTo(atMs);
    switch (event.kind) {
      case "job.submitted":
      case "array.submitted":
        this.#sinceMs = atMs;
        this.#holds = event.spec.isHeld ? 1 : 0;
        this.#waitsFor = event.spec.after.length;
        this.#beginAtMs = event.spec.beginAtMs ?? 0;
        return;
      case "job.held":
        this.#holds += 1;
        return;
      case "job.released":
        this.#holds = Math.max(0, this.#holds - 1);
        return;
      case "job.dependency-met":
        this.#waitsFor -= 1;
        return;
      case "reservation.made":
        this.#isReserved = true;
        return;
      case "reservation.dropped":
        this.#isReserved = false;
        return;
      case "job.placed":
      case "job.ended":
        this.#sinceMs = null;
        this.#isReserved = false;
        return;
      case "attempt.ended":
        this.earlierMs = this.totalMs;
        this.#sinceMs = atMs;
        return;
      case "job.requeued":
        this.#notBeforeMs = event.notBeforeMs;
        return;
      default:
        return;
    }
  }

  until(nowMs: number): ReadonlyMap<WaitKind, number> {
    this.#passTo(nowMs);
    return this.#parts;
  }

  #passTo(atMs: number): void {
    while (this.#sinceMs !== null && this.#sinceMs < atMs) {
      const [kind, endsMs] = this.#waitsNow(this.#sinceMs);
      const untilMs = Math.min(atMs, endsMs);
      this.#parts.set(kind, (this.#parts.get(kind) ?? 0) + untilMs - this.#sinceMs);
      this.#sinceMs = untilMs;
    }
  }

  /** What it waits for at that instant, and until when at most if nothing happens. */
  #waitsNow(atMs: number): readonly [WaitKind, number] {
    if (this.#holds > 0) return ["held", Number.MAX_SAFE_INTEGER];
    if (this.#waitsFor > 0) return ["jobs", Number.MAX_SAFE_INTEGER];
    if (atMs < this.#beginAtMs) return ["begin", this.#beginAtMs];
    if (atMs < this.#notBeforeMs) return ["backoff", this.#notBeforeMs];
    return [this.#isReserved ? "leaving" : "room", Number.MAX_SAFE_INTEGER];
  }
}

/** Why an attempt was brought to an end, for `show` and for the timeline. */
export function causeMessage(cause: StopCause): string {
  switch (cause.kind) {
    case "preempted":
      if (cause.how === "grow") return `It grew: ${cause.why}`;
      if (cause.how === "shrink") {
        const taker = cause.preemptor === null ? "" : ` for ${cause.preemptor}`;
        return `It shrank${taker}: ${cause.why}`;
      }
      return cause.preemptor === null
        ? `Preempted (${cause.how}): ${cause.why}`
        : `Preempted (${cause.how}) for ${cause.preemptor}: ${cause.why}`;
    case "cancelled":
      return `Cancelled by ${cause.by}${cause.why === "" ? "" : `: ${cause.why}`}.`;
    case "time_limit":
      return "It reached its time limit.";
    case "task_failed":
      return `Task ${cause.rank} ${exitMessage(cause.exit)}`;
    case "node_lost":
      return `Node ${cause.nodeId} was lost.`;
    case "node_failed":
      return `Node ${cause.nodeId} failed task ${cause.rank}: ${exitMessage(cause.exit)}`;
    default:
      return unreachable(cause);
  }
}

function exitMessage({ reason, code, message }: AttemptRecord["exit"] & object): string {
  return `${reason.replaceAll("_", " ")} with code ${code}${message === "" ? "" : `: ${message}`}.`;
}

const RIGHTS: Readonly<Record<PreemptionKind, string>> = {
  reclaim: "a queue took back what it is guaranteed",
  priority: "a higher class of its queue went before it",
  las: "a job of its queue that had had less GPU time took its turn",
  shortest: "a job of its queue that has less to come took its turn",
  share: "a queue took back its fair share",
  drain: "its node was emptied",
  shrink: "it gave up nodes that it can do without",
  grow: "idle nodes joined it",
};

/** What its earlier attempts came to, newest first, and what they cost. */
export function pastLines(job: Job): readonly string[] {
  const lines = job.history
    .filter(({ outcome }) => outcome !== "succeeded")
    .toReversed()
    .slice(0, NAMED_MAX)
    .map((record) => {
      const { number, endedAtMs, outcome, cause, lostGpuMs } = record;
      const why = cause === null ? "" : ` ${causeMessage(cause)}`;
      const cost =
        lostGpuMs === 0 ? " No work was lost." : ` ${gpuTime(lostGpuMs)} of work were lost.`;
      const what = `${outcome.replaceAll("_", " ")} at ${clock(endedAtMs)}`;
      return `Attempt ${number}: ${what}.${why}${cost}`;
    });
  if (lines.length < 2) return lines;
  const { lostGpuMs, attainedGpuMs } = job;
  const total = `In all ${gpuTime(lostGpuMs)} of ${gpuTime(attainedGpuMs)} were lost.`;
  return [...lines, ...rightsLines(job), ...(lostGpuMs === 0 ? [] : [total])];
}

/** How often by which right, and for whom. Only attempts that are remembered are counted. */
function rightsLines({ history }: Job): readonly string[] {
  const taken = new Map<PreemptionKind, { count: number; lostGpuMs: number }>();
  for (const { cause, lostGpuMs } of history) {
    if (cause?.kind !== "preempted") continue;
    const before = taken.get(cause.how) ?? { count: 0, lostGpuMs: 0 };
    taken.set(cause.how, { count: before.count + 1, lostGpuMs: before.lostGpuMs + lostGpuMs });
  }
  return [...taken].map(([how, { count: often, lostGpuMs }]) => {
    const cost = lostGpuMs === 0 ? "" : `, at the cost of ${gpuTime(lostGpuMs)}`;
    return `Preempted ${times(often)} because ${RIGHTS[how]} (${how})${cost}.`;
  });
}
