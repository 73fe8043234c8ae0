// What committed events tell about waiting, starting and losing work: histograms, and the opt-in
// series per running job. Reads the state after the events.

import type { JobId } from "../base/ids.ts";
import { SECOND_MS } from "../base/time.ts";
import { type MetricsRegistry, setGauge } from "../obs/metrics.ts";
import type { LoggedEvent } from "./core/events.ts";
import type { ForecastError } from "./core/forecast-errors.ts";
import { activeAttempt, type Job } from "./core/job.ts";
import type { ClusterState } from "./core/state.ts";

const WAIT_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200];
const START_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
const RESUME_BUCKETS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800];
const LOST_GPU_SECONDS_BUCKETS = [1, 10, 60, 300, 1_800, 3_600, 7_200, 18_000, 36_000, 180_000];
/** So that a large cluster's opt-in page stays one that Prometheus takes. */
const JOB_SERIES_MAX = 20_000;

const FORECAST_BUCKETS = [60, 300, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 259_200];

/** Returns what to call with each job that started and had been told when. */
export function forecastMetrics(metrics: MetricsRegistry): (error: ForecastError) => void {
  const errors = metrics.histogram(
    "trainyard_start_forecast_error_seconds",
    "How far the median that a job was told first was from its start, which came early or late.",
    FORECAST_BUCKETS,
    ["start"],
  );
  const started = metrics.counter(
    "trainyard_start_forecasts_total",
    "Jobs that started and had been told when: by the median (half of them are meant to), by the " +
      "90 % mark (two fifths), or after it.",
    ["by"],
  );
  for (const start of ["early", "late"]) errors.zero({ start });
  for (const by of ["p50", "p90", "later"]) started.inc({ by }, 0);
  return ({ lateMs, isByP50, isByP90 }) => {
    errors.observe({ start: lateMs > 0 ? "late" : "early" }, Math.abs(lateMs) / SECOND_MS);
    started.inc({ by: isByP50 ? "p50" : isByP90 ? "p90" : "later" });
  };
}

/** Returns what to call with the events of each commit. */
export function eventMetrics(
  metrics: MetricsRegistry,
  state: () => ClusterState,
): (events: readonly LoggedEvent[]) => void {
  const observers = jobHistograms(metrics);
  /** When running jobs were asked to leave, until they run again or end. */
  const preemptedAtMs = new Map<JobId, number>();
  return (events) => {
    for (const logged of events) observe(logged, state(), observers, preemptedAtMs);
  };
}

function jobHistograms(metrics: MetricsRegistry) {
  return {
    wait: metrics.histogram(
      "trainyard_job_wait_seconds",
      "From submission, or from the end of the last attempt, to the placement.",
      WAIT_BUCKETS,
      ["queue"],
    ),
    start: metrics.histogram(
      "trainyard_job_placement_seconds",
      "From the placement until the last process of the gang had started.",
      START_BUCKETS,
    ),
    resume: metrics.histogram(
      "trainyard_job_resume_seconds",
      "From the request to leave until the job runs again.",
      RESUME_BUCKETS,
    ),
    lost: metrics.histogram(
      "trainyard_preemption_lost_gpu_seconds",
      "GPU time of a preempted attempt that has to be done again.",
      LOST_GPU_SECONDS_BUCKETS,
    ),
  };
}

function observe(
  { event, atMs }: LoggedEvent,
  state: ClusterState,
  to: ReturnType<typeof jobHistograms>,
  preemptedAtMs: Map<JobId, number>,
): void {
  const job = "jobId" in event ? state.jobs.get(event.jobId) : undefined;
  if (job === undefined) return;
  switch (event.kind) {
    case "job.placed": {
      const since = [job.submittedAtMs, job.admittedAtMs ?? 0, job.spec.beginAtMs ?? 0];
      const sinceMs = Math.max(...since, job.history.at(-1)?.endedAtMs ?? 0);
      to.wait.observe({ queue: job.spec.queue }, Math.max(0, atMs - sinceMs) / SECOND_MS);
      return;
    }
    case "job.stopping":
      if (event.cause.kind === "preempted") preemptedAtMs.set(job.id, atMs);
      return;
    case "task.started":
      return observeStart(job, atMs, to, preemptedAtMs);
    case "attempt.ended":
      if (event.outcome === "preempted") to.lost.observe(event.lostGpuMs / SECOND_MS);
      return;
    case "job.ended":
      preemptedAtMs.delete(job.id);
      return;
    default:
      return;
  }
}

/** Only the start of the gang's last task counts. */
function observeStart(
  job: Job,
  atMs: number,
  to: ReturnType<typeof jobHistograms>,
  preemptedAtMs: Map<JobId, number>,
): void {
  const attempt = activeAttempt(job.phase);
  if (attempt === null || attempt.runningAtMs !== atMs) return;
  to.start.observe((atMs - attempt.placedAtMs) / SECOND_MS);
  const before = job.history.at(-1);
  if (before?.outcome !== "preempted") return;
  // After a restart the request to leave is not known any more; the end of the attempt is.
  const sinceMs = preemptedAtMs.get(job.id) ?? before.endedAtMs;
  preemptedAtMs.delete(job.id);
  to.resume.observe((atMs - sinceMs) / SECOND_MS);
}

/** Series of jobs that hold GPUs now, for joins with DCGM's; on a page of their own. No user names. */
export function runningJobMetrics(metrics: MetricsRegistry, state: () => ClusterState): void {
  const info = metrics.gauge("trainyard_job_info", "1 for each job that holds GPUs.", [
    "job_id",
    "job_name",
    "queue",
    "attempt",
  ]);
  const gpuInfo = metrics.gauge("trainyard_job_gpu_info", "1 for each GPU that a job holds.", [
    "job_id",
    "node",
    "gpu",
    "UUID",
  ]);
  metrics.onScrape(() => {
    setGauge(info, [...jobSeries(state())].slice(0, JOB_SERIES_MAX));
    setGauge(gpuInfo, [...gpuSeries(state())].slice(0, JOB_SERIES_MAX));
  });
}

function* jobSeries(state: ClusterState) {
  for (const { id, spec, attemptLast } of state.active.values()) {
    const { name, queue } = spec;
    const labels = { job_id: id, job_name: name, queue, attempt: String(attemptLast) };
    yield [labels, 1] as const;
  }
}

function* gpuSeries(state: ClusterState) {
  for (const node of state.nodes.values()) {
    const uuids = new Map(node.spec.gpus.map((gpu) => [gpu.index, gpu.uuid]));
    for (const { jobId, gpus } of node.allocations) {
      for (const gpu of gpus) {
        const UUID = uuids.get(gpu) ?? "";
        yield [{ job_id: jobId, node: node.spec.id, gpu: String(gpu), UUID }, 1] as const;
      }
    }
  }
}
