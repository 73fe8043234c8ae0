// What the story comes to: the machine-readable summary, and the timeline for people.

import type { Timestamp__Output } from "../../src/rpc/gen/google/protobuf/Timestamp.ts";
import type { Job__Output } from "../../src/rpc/gen/trainyard/v1/Job.ts";
import type { JobEvent__Output } from "../../src/rpc/gen/trainyard/v1/JobEvent.ts";

export interface JobSummary {
  readonly name: string;
  readonly phase: string;
  readonly attempts: number;
  /** Nodes of each attempt, by rank. */
  readonly nodes: readonly (readonly string[])[];
  /** Step of the checkpoint that the last attempt started from; 0 = from scratch. */
  readonly resumedFromStep: number;
  readonly finalLoss: number | null;
}

export interface Summary {
  readonly ok: boolean;
  readonly jobs: readonly JobSummary[];
  readonly referenceFinalLoss: number | null;
  /** From the order to stop until all processes of the next attempt had started. */
  readonly preemptToResumeSeconds: number | null;
  readonly lostGpuSeconds: number;
  readonly checkpointsCommitted: number;
  readonly seconds: number;
}

export const millis = (time: Timestamp__Output | null | undefined): number | null =>
  time === null || time === undefined ? null : Number(time.seconds) * 1000 + time.nanos / 1e6;

export function summariseJob(job: Job__Output, finalLoss: number | null): JobSummary {
  return {
    name: job.spec?.name ?? "",
    phase: job.phase,
    attempts: job.attempts.length,
    nodes: job.attempts.map((attempt) => attempt.placement.map((task) => task.node)),
    resumedFromStep: job.attempts.at(-1)?.resumedFromStep ?? 0,
    finalLoss,
  };
}

/** Null when it was never preempted, or did not run again. */
export function preemptToResume(
  job: Job__Output,
  events: readonly JobEvent__Output[],
): number | null {
  const asked = events.find((event) => event.kind === "job.stopping");
  const resumed = job.attempts.find(
    ({ number, runningAt }) => number > 1 && millis(runningAt) !== null,
  );
  const from = millis(asked?.at);
  const to = millis(resumed?.runningAt);
  return from === null || to === null ? null : (to - from) / 1000;
}

export interface NamedEvents {
  readonly name: string;
  readonly events: readonly JobEvent__Output[];
}

/** One line an event, of all jobs in order, with seconds since the first. */
export function timeline(jobs: readonly NamedEvents[]): readonly string[] {
  const all = jobs.flatMap(({ name, events }) => events.map((event) => ({ name, event })));
  all.sort((a, b) => Number(a.event.seq) - Number(b.event.seq));
  const startMs = millis(all[0]?.event.at) ?? 0;
  const width = Math.max(...jobs.map(({ name }) => name.length));
  return all.map(({ name, event }) => {
    const at = ((millis(event.at) ?? startMs) - startMs) / 1000;
    return `${at.toFixed(1).padStart(7)}s  ${name.padEnd(width)}  ${event.message}`;
  });
}
