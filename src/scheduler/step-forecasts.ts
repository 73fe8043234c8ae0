// Tells the scheduler how long running jobs still take, by the steps that they report as metrics, where
// they say how many there will be: as a number beside the step in the same JSON line, or as a param of
// the job's run. Told sparingly: each is an event of the log and calls for a planning pass.

import { jobId, type JobId } from "../base/ids.ts";
import { MINUTE_MS } from "../base/time.ts";
import type { LoggedEvent } from "./core/events.ts";
import { isNews, StepPace } from "./core/step-pace.ts";
import type { Brain } from "./service-ports.ts";

/** Points of a job's run, as the tracker stored them; parallel columns. */
export interface StoredPoints {
  readonly runId: string;
  readonly attempt: number;
  readonly metrics: readonly string[];
  readonly points: {
    readonly metric: readonly number[];
    readonly step: readonly number[];
    readonly timestampMs: readonly number[];
    readonly value: readonly number[];
  };
}

export interface StepForecastsParts {
  readonly brain: Pick<Brain, "state" | "nowMs" | "execute" | "onCommitted">;
  /** A param of the job's run; undefined = it has none of that name. */
  readonly param: (runId: string, name: string) => string | undefined;
  /** A bug, or a loop that is full: it is told a minute later. */
  readonly onFault: (error: unknown) => void;
}

/** How many steps there will be, by what trainers call it: our own name first. */
export const STEPS_TOTAL_NAMES = ["steps_total", "max_steps", "total_steps"] as const;
/** Of one job, at the earliest after it was looked at last. */
const LOOK_EVERY_MS = MINUTE_MS;

interface Watched {
  readonly attempt: number;
  readonly pace: StepPace;
  stepsTotal: number | null;
  lookedAtMs: number;
}

export class StepForecasts {
  readonly #parts: StepForecastsParts;
  /** Jobs that run and report steps. */
  readonly #watched = new Map<JobId, Watched>();
  #unsubscribe: (() => void) | null = null;

  constructor(parts: StepForecastsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#unsubscribe = this.#parts.brain.onCommitted((events) => this.#forgetEnded(events));
  }

  stop(): void {
    this.#unsubscribe?.();
  }

  /** Call with each batch that is stored. Returns at once. */
  onPoints(batch: StoredPoints): void {
    const { runId, attempt } = batch;
    const { brain } = this.#parts;
    const job = brain.state().jobs.get(jobId(runId));
    if (job?.phase.kind !== "running" || job.phase.attempt.number !== attempt) return;
    const watched = this.#watch(job.id, attempt);
    read(batch, watched);
    const nowMs = brain.nowMs();
    if (nowMs - watched.lookedAtMs < LOOK_EVERY_MS) return;
    const stepsTotal = watched.stepsTotal ?? this.#totalByParam(runId);
    if (stepsTotal === null) return;
    const remainingMs = watched.pace.remainingMs(stepsTotal);
    if (remainingMs === null) return;
    watched.lookedAtMs = nowMs;
    if (!isNews(job, remainingMs, nowMs)) return;
    const command = { kind: "job.forecast", jobId: job.id, remainingMs } as const;
    // Refused is a job that has ended by now.
    brain.execute({ command, actor: "scheduler", request: null }).catch(this.#parts.onFault);
  }

  #watch(id: JobId, attempt: number): Watched {
    let watched = this.#watched.get(id);
    if (watched?.attempt !== attempt) {
      const lookedAtMs = Number.NEGATIVE_INFINITY;
      watched = { attempt, pace: new StepPace(), stepsTotal: null, lookedAtMs };
      this.#watched.set(id, watched);
    }
    return watched;
  }

  #totalByParam(runId: string): number | null {
    for (const name of STEPS_TOTAL_NAMES) {
      const total = Number(this.#parts.param(runId, name) ?? "");
      if (isTotal(total)) return total;
    }
    return null;
  }

  #forgetEnded(events: readonly LoggedEvent[]): void {
    for (const { event } of events) {
      if (event.kind === "attempt.ended") this.#watched.delete(event.jobId);
    }
  }
}

/** The newest step with its time, and how many there will be. */
function read({ metrics, points }: StoredPoints, watched: Watched): void {
  let newest = -1;
  points.step.forEach((step, at) => {
    if (step > (points.step[newest] ?? -1)) newest = at;
  });
  if (newest >= 0) watched.pace.note(points.step[newest] ?? 0, points.timestampMs[newest] ?? 0);
  const totals = STEPS_TOTAL_NAMES.flatMap((name) => {
    const index = metrics.indexOf(name);
    const at = index < 0 ? -1 : points.metric.lastIndexOf(index);
    return at < 0 ? [] : [points.value[at] ?? 0];
  });
  watched.stepsTotal = totals.find(isTotal) ?? watched.stepsTotal;
}

const isTotal = (steps: number): boolean => Number.isSafeInteger(steps) && steps > 0;
