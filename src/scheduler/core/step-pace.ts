// How long a training job still runs, by its own steps: how many are left, times how long they took in
// this attempt. Knows no jobs beside; what is made of it is `job.forecast`.

import { must } from "../../base/assert.ts";
import { MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import type { Job } from "./job.ts";
import { forecastRemainingMs, usefulRunMs } from "./remaining-time.ts";

interface Mark {
  readonly step: number;
  readonly atMs: number;
}

/** Marks kept of an attempt: they lie further apart the longer it runs, evenly over all of it. */
const MARKS_MAX = 32;
const SPACING_MS = 2 * SECOND_MS;
/** Before so much was seen nothing is said: the first steps warm up. */
const SEEN_MS_MIN = 20 * SECOND_MS;
const SEEN_STEPS_MIN = 3;

/** Steps of one attempt, as they were reported. */
export class StepPace {
  #marks: Mark[] = [];
  #spacingMs = SPACING_MS;
  #newest: Mark | null = null;

  /** What comes late, or again, says nothing. */
  note(step: number, atMs: number): void {
    const { step: before, atMs: beforeMs } = this.#newest ?? { step: -1, atMs: -1 };
    if (step <= before || atMs <= beforeMs) return;
    this.#newest = { step, atMs };
    const last = this.#marks.at(-1);
    if (last !== undefined && atMs - last.atMs < this.#spacingMs) return;
    this.#marks.push(this.#newest);
    if (this.#marks.length < MARKS_MAX) return;
    this.#spacingMs *= 2;
    // The first stays: the pace is that of the whole attempt.
    this.#marks = this.#marks.filter((_, at) => at % 2 === 0);
  }

  /** From the newest step on; null while too little was seen. */
  remainingMs(stepsTotal: number): number | null {
    const newest = this.#newest;
    if (newest === null) return null;
    const first = must(this.#marks[0], "first mark");
    const seenMs = newest.atMs - first.atMs;
    const steps = newest.step - first.step;
    if (seenMs < SEEN_MS_MIN || steps < SEEN_STEPS_MIN) return null;
    return Math.round((Math.max(0, stepsTotal - newest.step) * seenMs) / steps);
  }
}

/** What is told may be off by that much before it is told anew. */
const MOVED_PART = 0.2;
const MOVED_MS_MIN = MINUTE_MS;

/** Has it moved so far from what is known that it is worth an event? */
export function isNews(job: Job, remainingMs: number, nowMs: number): boolean {
  const known = forecastRemainingMs(job, usefulRunMs(job, nowMs));
  if (known === null) return true;
  return Math.abs(remainingMs - known) > Math.max(MOVED_MS_MIN, MOVED_PART * known);
}
